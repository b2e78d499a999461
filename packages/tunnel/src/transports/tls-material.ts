import { constants, createPrivateKey, X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'
import type { Secret } from '@sallyport/core'
import { materialError } from './tls-errors.ts'

/** Certificate, key and the authorities that the other side's certificate must come from, as PEM. */
export interface TlsMaterial {
  /** Ours, followed by its intermediates. */
  readonly certificate: string
  readonly key: string | Secret
  /** Nothing else is trusted: not the system's authorities either. */
  readonly ca: string | readonly string[]
}

/** A value, or a function that is asked again for every new lane, so that renewal needs no restart. */
export type Renewable<T> = T | (() => T)

/** The value as it is now. */
export function current<T extends object>(renewable: Renewable<T>): T {
  return typeof renewable === 'function' ? renewable() : renewable
}

/** AES-128 first: the strongest attack on either is the same, and it costs a fifth less time per byte. */
const ciphers = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256'

/** What both sides insist on. No session tickets: each lane proves its certificate anew, and authorities that were taken away stay away. */
const policy = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', ciphers, secureOptions: constants.SSL_OP_NO_TICKET } as const

/**
 * What Node makes a secure context of. Checked first, because Node takes "no certificate" for "none wanted" and "no
 * authority" for "every public one". @throws ConnectivityError `CONFIGURATION_INVALID`.
 */
export function contextOptions(material: TlsMaterial, what: string): SecureContextOptions {
  const key = revealed(material.key)
  const ca = [material.ca].flat()
  try {
    if (!new X509Certificate(material.certificate).checkPrivateKey(createPrivateKey(key))) throw new Error('another key')
    if (ca.length === 0) throw new Error('no authority')
    for (const pem of ca) void new X509Certificate(pem)
  } catch (cause) {
    throw materialError(cause, what)
  }
  return { ...policy, cert: material.certificate, key, ca }
}

/** Equal for equal material. Holds the key: never leaves memory. */
export function materialKey(material: TlsMaterial): string {
  return JSON.stringify([material.certificate, revealed(material.key), material.ca])
}

/** Keeps the context of the material it saw last, because making one costs milliseconds. @throws ConnectivityError `CONFIGURATION_INVALID`. */
export function createContextCache(): (material: TlsMaterial) => SecureContext {
  let made: { readonly key: string; readonly context: SecureContext } | undefined
  return (material) => {
    const key = materialKey(material)
    if (made?.key !== key) {
      try {
        made = { key, context: createSecureContext(contextOptions(material, 'tunnel client')) }
      } catch (cause) {
        throw materialError(cause, 'tunnel client')
      }
    }
    return made.context
  }
}

function revealed(key: string | Secret): string {
  return typeof key === 'string' ? key : key.reveal()
}
