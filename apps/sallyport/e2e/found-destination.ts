import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Credentials, Destination, DestinationOf, Dial } from '@sallyport/core'
import { systemClock } from '@sallyport/core'
import {
  type ConnectivityBinding,
  createDestinationClient,
  createTokenSource,
  parseConnectivityBinding,
  readBindings,
  selectBinding,
  systemBindingFiles,
  type TokenSource,
} from '@sallyport/destination-client'
import { createProxyDial } from '@sallyport/dial'
import { expect, vi } from 'vitest'
import type { Installation } from './installation.ts'

/** What an application has: the bindings, the authority, and from there a destination by its name. The caller disposes the tokens. */
export interface FoundDestination<T extends Destination['type']> {
  readonly destination: DestinationOf<T>
  readonly credentials: Credentials
  readonly connectivity: ConnectivityBinding
  readonly tokens: TokenSource
  /** Through the SOCKS5 listener of the connectivity proxy. */
  readonly socks5: Dial
}

/** The environment of an application, put around the test (`vi.unstubAllEnvs` ends it), and the authority of the services. */
export function stubApplication(stack: Installation): { readonly ca: readonly string[] } {
  const { environment, ca } = applicationOf(stack)
  vi.stubEnv('VCAP_SERVICES', environment.VCAP_SERVICES)
  return { ca }
}

function applicationOf(stack: Installation): { readonly environment: { readonly VCAP_SERVICES: string }; readonly ca: readonly string[] } {
  const file = JSON.parse(readFileSync(join(stack.data, 'default-env.json'), 'utf8')) as { readonly VCAP_SERVICES: unknown }
  return {
    environment: { VCAP_SERVICES: JSON.stringify(file.VCAP_SERVICES) },
    ca: [readFileSync(join(stack.data, 'ca.crt'), 'utf8')],
  }
}

/** The explicit way: each part wired by hand. */
export async function findDestination<T extends Destination['type']>(
  stack: Installation,
  name: string,
  type: T,
): Promise<FoundDestination<T>> {
  const { environment, ca } = applicationOf(stack)
  const bindings = await readBindings({ environment, files: systemBindingFiles })
  await using client = createDestinationClient({ bindings, clock: systemClock, ca })
  const found = await client.find(name)
  expect(found.destination.type).toBe(type)
  const connectivity = parseConnectivityBinding(selectBinding(bindings, { service: 'connectivity' }))
  const tokens = createTokenSource({ client: connectivity.client, clock: systemClock, ca })
  if (connectivity.socks5Proxy === undefined) throw new Error('the binding names no SOCKS5 listener')
  return {
    destination: found.destination as DestinationOf<T>,
    credentials: found.credentials,
    connectivity,
    tokens,
    socks5: createProxyDial({ kind: 'socks5', proxy: connectivity.socks5Proxy, token: (abort) => tokens.get({ signal: abort }) }),
  }
}
