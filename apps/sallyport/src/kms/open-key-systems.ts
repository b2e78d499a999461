import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Clock } from '@sallyport/core'
import type { KeyManagementSystems } from '@sallyport/store'
import { type Configuration, resolveText } from '../configuration/configuration.ts'
import type { KeySystemEntry } from '../configuration/key-management-schema.ts'
import { createRequester } from '../stack/request.ts'
import { createLocalKeySystem } from './local-key-system.ts'
import { createTransitSystem } from './transit-system.ts'
import { createAppRoleLogOn, createTokenLogOn, type VaultLogOn } from './vault-log-on.ts'

/** How long one request to a key management system may take; the callers' own limit is about the same. */
const requestTimeoutMs = 5_000

/** The key management systems of the configuration. Nothing is asked yet; secrets are read when they are needed. The caller disposes. */
export function openKeySystems(
  configuration: Configuration,
  clock: Clock,
): AsyncDisposable & { readonly systems: KeyManagementSystems; readonly maxAgeMs: number } {
  const { systems: entries, maxAgeSeconds } = configuration.storage.keyManagement
  const opened = entries.map((entry) => [entry.name, openSystem(entry, configuration, clock)] as const)
  return {
    systems: Object.fromEntries(opened),
    maxAgeMs: maxAgeSeconds * 1_000,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(opened.map(([, system]) => system[Symbol.asyncDispose]()))
    },
  }
}

function openSystem(entry: KeySystemEntry, configuration: Configuration, clock: Clock): KeyManagementSystems[string] {
  const text = (value: Parameters<typeof resolveText>[0]): string => resolveText(value, configuration, process.env)
  if (entry.type === 'local') {
    const { folder, passphrase } = entry
    return createLocalKeySystem({
      folder: resolve(dirname(configuration.path), folder),
      ...(passphrase === undefined ? {} : { passphrase: () => text(passphrase) }),
    })
  }
  const { name, url, mount, namespace, token, appRole, authorities = [], clientCertificate } = entry
  const read = ({ file }: { readonly file: string }): string => readFileSync(resolve(dirname(configuration.path), file), 'utf8')
  const request = createRequester({
    authorities: authorities.map(read),
    timeoutMs: requestTimeoutMs,
    ...(clientCertificate === undefined
      ? {}
      : { identity: { certificate: read(clientCertificate.certificate), key: read(clientCertificate.key) } }),
  })
  const logOn = (): VaultLogOn => {
    if (appRole === undefined) return createTokenLogOn(() => text(token ?? ''))
    const { mount: authMount, roleId, secretId } = appRole
    return createAppRoleLogOn({
      name,
      url,
      mount: authMount,
      namespace,
      roleId: () => text(roleId),
      secretId: () => text(secretId),
      request,
      clock,
    })
  }
  return createTransitSystem({ name, url, mount, namespace, request, logOn: logOn() })
}
