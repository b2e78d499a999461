import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { createSecret, type DestinationOf, silentLogger, systemClock } from '@sallyport/core'
import {
  createDestinationClient,
  createTokenSource,
  parseConnectivityBinding,
  readBindings,
  selectBinding,
  systemBindingFiles,
} from '@sallyport/destination-client'
import { createDirectDial, createProxyDial } from '@sallyport/dial'
import { createHttpAdapter } from '@sallyport/http'
import { createTcpAdapter } from '@sallyport/tcp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createInstallation, type Installation } from './installation.ts'

let stack: Installation
beforeAll(async () => {
  stack = await createInstallation()
  const started = await stack.run(['dev', '--detach', '--wait', '40s', '--port-offset', String(stack.portOffset)])
  if (started.code !== 0) throw new Error(`${started.stdout}${started.stderr}`)
}, 60_000)
afterAll(async () => stack[Symbol.asyncDispose]())

const signal = (): AbortSignal => AbortSignal.timeout(15_000)

/** What an application has: the bindings, the authority, and from there a destination by its name. */
async function findDestination<T extends 'HTTP' | 'TCP'>(name: string, type: T) {
  const bindings = await readBindings({
    environment: {
      VCAP_SERVICES: JSON.stringify(
        (JSON.parse(readFileSync(join(stack.data, 'default-env.json'), 'utf8')) as { VCAP_SERVICES: unknown }).VCAP_SERVICES,
      ),
    },
    files: systemBindingFiles,
  })
  const ca = [readFileSync(join(stack.data, 'ca.crt'), 'utf8')]
  await using client = createDestinationClient({ bindings, clock: systemClock, ca })
  const found = await client.find(name)
  expect(found.destination.type).toBe(type)
  const connectivity = parseConnectivityBinding(selectBinding(bindings, { service: 'connectivity' }))
  const tokens = createTokenSource({ client: connectivity.client, clock: systemClock, ca })
  return { destination: found.destination as DestinationOf<T>, credentials: found.credentials, connectivity, tokens }
}

describe('our own client packages against the running stack', () => {
  it('HTTP through the proxy, as a user', async () => {
    const { destination, credentials, connectivity, tokens } = await findDestination('S4_DEMO', 'HTTP')
    await using _ = tokens
    const adapter = createHttpAdapter({
      clock: systemClock,
      proxy: { address: connectivity.httpProxy, tenant: 'demo', token: (abort) => tokens.get({ signal: abort }), forget: tokens.forget },
    })
    const user = (await stack.run(['token', 'issue', '--user', 'jane@acme.test', '--raw'])).stdout.trim()
    await using client = await adapter.connect(destination, {
      dial: createDirectDial(),
      credentials,
      principal: { kind: 'business', token: createSecret(user) },
      signal: signal(),
      log: silentLogger,
    })
    const answer = await client.request('/sap/bc/ping', { signal: signal() })
    expect(await answer.json()).toMatchObject({ user: 'jane@acme.test' })
  })

  it('TCP through SOCKS5, half-closed', async () => {
    const { destination, credentials, connectivity, tokens } = await findDestination('ECHO_DEMO', 'TCP')
    await using _ = tokens
    const dial = createProxyDial({ kind: 'socks5', proxy: connectivity.socks5Proxy!, token: (abort) => tokens.get({ signal: abort }) })
    await using client = await createTcpAdapter({ clock: systemClock }).connect(destination, {
      dial,
      credentials,
      signal: signal(),
      log: silentLogger,
    })
    const socket = await client.socket({ signal: signal() })
    socket.end('through the gate and back')
    expect(await text(socket)).toBe('through the gate and back')
  })

  it('HTTP over SOCKS5 to a TCP mapping is not offered: the connector decides by protocol', async () => {
    const { connectivity, tokens } = await findDestination('PLAIN_DEMO', 'HTTP')
    await using _ = tokens
    const dial = createProxyDial({ kind: 'socks5', proxy: connectivity.socks5Proxy!, token: (abort) => tokens.get({ signal: abort }) })
    await expect(dial({ host: 'plain.demo', port: 80 }, { signal: signal(), locationId: '' })).rejects.toMatchObject({
      code: 'ACCESS_DENIED',
    })
  })
})
