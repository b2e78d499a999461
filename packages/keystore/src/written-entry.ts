import { createPrivateKey, X509Certificate } from 'node:crypto'
import { ConnectivityError } from '@sallyport/core'

/** What goes into a file. */
export interface WrittenEntry {
  /** The name of the entry; Java compares it in lower case. */
  readonly alias: string
  /** PEM, leaf first; at least one. */
  readonly certificates: readonly string[]
  /** PEM, not encrypted, of the first certificate. */
  readonly privateKey: string
  /** Protects the file and the key. Empty for none. */
  readonly password: string
}

/** DER of what is to be written, after it has been checked. @throws ConnectivityError `CONFIGURATION_INVALID` when the parts do not belong together. */
export function readWrittenEntry({ alias, certificates, privateKey, password }: WrittenEntry): {
  readonly alias: string
  readonly chain: readonly [Buffer, ...Buffer[]]
  readonly key: Buffer
  readonly password: string
} {
  const [leaf, ...issuers] = certificates.map((pem) => new X509Certificate(pem))
  const key = createPrivateKey(privateKey)
  if (leaf === undefined || !leaf.checkPrivateKey(key)) {
    throw new ConnectivityError('CONFIGURATION_INVALID', `the private key of "${alias}" does not belong to its first certificate`)
  }
  return { alias, chain: [leaf.raw, ...issuers.map(({ raw }) => raw)], key: key.export({ type: 'pkcs8', format: 'der' }), password }
}
