import { networkInterfaces } from 'node:os'
import { ConnectivityError, systemClock } from '@sallyport/core'
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { createFixedKeySource, createTokenVerifier } from '@sallyport/token-verifier'
import { describe, expect, it } from 'vitest'
import { type ConnectivityProxy, type ConnectivityProxyOptions, createConnectivityProxy, parseProxyConfiguration } from '../src/index.ts'
import { openRawClient } from '@sallyport/conformance/cases'

const nobody: ConnectivityProxyOptions['tunnels'] = {
  find: () => undefined,
  waitFor: () => Promise.reject(new ConnectivityError('CONNECTOR_NOT_CONNECTED', 'nobody')),
}

/** What a start makes of a configuration: the proxy listens, or this throws. */
async function start(configuration: unknown, changes: Partial<ConnectivityProxyOptions> = {}): Promise<ConnectivityProxy> {
  const proxy = createConnectivityProxy({
    ...parseProxyConfiguration(configuration),
    tunnels: nobody,
    verifier: createTokenVerifier({
      keys: createFixedKeySource([]),
      clock: systemClock,
      expiryToleranceSeconds: 0,
      notBeforeToleranceSeconds: 0,
      maxCachedTokens: 1,
      maxTokenBytes: 8192,
    }),
    rebinding: 'refuse',
    clock: systemClock,
    audit: { failing: false, write: () => {}, flushed: () => Promise.resolve() },
    ...changes,
  })
  await proxy.listen()
  return proxy
}

const client = { authorization: { oauth: { allowedClientId: 'sb-app' } } }
const local = { enabled: true, port: 0, allowRemoteConnections: false }
const good = { subaccountId: 's-1', servers: { proxy: { ...client, http: local, socks5: local } } }

async function problemsOf(configuration: unknown): Promise<string> {
  const error = await start(configuration).then(
    () => 'it started',
    (reason: unknown) => reason,
  )
  expect(ConnectivityError.is(error, 'CONFIGURATION_INVALID')).toBe(true)
  return (error as Error).message
}

describe('start', () => {
  it('opens what is enabled, with the documented defaults', async () => {
    await using proxy = await start(good)
    expect(proxy.addresses.http?.host).toBe('127.0.0.1')
    expect(proxy.addresses.socks5?.port).toBeGreaterThan(0)
    expect(parseProxyConfiguration({ tenantMode: 'shared', servers: { proxy: client } })).toEqual({
      tenancy: { mode: 'shared' },
      allowedClients: new Set(['sb-app']),
      listeners: { socks5: { host: '0.0.0.0', port: 20_004, authorization: true, allowRemoteConnections: true } },
      limits: { writeTimeoutMs: 10_000 },
    })
  })

  it('CP-053 fails when authorization is on and allowedClientId is empty', async () => {
    expect(await problemsOf({ ...good, servers: { proxy: { http: local, socks5: local } } })).toContain('allowedClientId')
    await using proxy = await start({
      ...good,
      subaccountSubdomain: 'x',
      servers: { proxy: { socks5: { ...local, enableProxyAuthorization: false } } },
    })
    expect(proxy.addresses.socks5).toBeDefined()
  })

  it('CP-054 fails when dedicated and subaccountId is empty', async () => {
    expect(await problemsOf({ ...good, subaccountId: '' })).toContain('subaccountId')
    await using proxy = await start({ ...good, subaccountId: '', tenantMode: 'shared' })
    expect(proxy.addresses.http).toBeDefined()
  })

  it('CP-055 fails when dedicated, a listener trusted, and subaccountSubdomain is empty', async () => {
    const trusted = { proxy: { ...client, http: { ...local, enableProxyAuthorization: false }, socks5: local } }
    expect(await problemsOf({ ...good, servers: trusted })).toContain('subaccountSubdomain')
    await using proxy = await start({ ...good, subaccountSubdomain: 'acme', servers: trusted })
    expect(proxy.addresses.http).toBeDefined()
  })

  it('tells all problems at once, unknown keys and wrong types with their path', async () => {
    const all = await problemsOf({ servers: { proxy: { http: { ...local, enableProxyAuthorization: false } } } })
    expect(all.match(/^- /gm)).toHaveLength(3)
    const wrong = await problemsOf({ tenantMode: 'both', servers: { proxy: { http: { port: 70_000 }, sokcs5: {} } } })
    for (const path of ['tenantMode', 'servers.proxy.http.port', 'sokcs5']) expect(wrong).toContain(path)
  })

  it('names the port that is taken, and leaves nothing open', async () => {
    const holder = createServer().listen(0, '127.0.0.1')
    await once(holder, 'listening')
    const { port } = holder.address() as AddressInfo
    const error = await start({ ...good, servers: { proxy: { ...client, http: local, socks5: { ...local, port } } } }).catch(
      (reason: unknown) => reason,
    )
    expect(ConnectivityError.is(error, 'PORT_IN_USE')).toBe(true)
    expect(String(error)).toContain(String(port))
    holder.close()
  })

  it('refuses a host that other machines can reach unless that is allowed, a proxy without listeners, and a failing audit log', async () => {
    const open = { host: '0.0.0.0', port: 0, authorization: true, allowRemoteConnections: false }
    await expect(start(good, { listeners: { http: open } })).rejects.toThrow('allowRemoteConnections')
    await expect(start(good, { listeners: {} })).rejects.toThrow('there is none')
    await expect(start(good, { audit: { failing: true, write: () => {}, flushed: () => Promise.resolve() } })).rejects.toThrow('audit log')
  })

  const outside = Object.values(networkInterfaces())
    .flat()
    .find((one) => one?.family === 'IPv4' && !one.internal)?.address
  it.skipIf(outside === undefined)('CP-091 without remote connections, a client that comes in over the network is refused', async () => {
    await using proxy = await start(good)
    const port = proxy.addresses.http?.port ?? 0
    await using near = await openRawClient(port)
    expect(near.socket.destroyed).toBe(false)
    await expect(openRawClient(port, { host: outside ?? '' })).rejects.toThrow('ECONNREFUSED')
    await using reachable = await start({
      ...good,
      servers: { proxy: { ...client, http: { ...local, allowRemoteConnections: true }, socks5: local } },
    })
    await using far = await openRawClient(reachable.addresses.http?.port ?? 0, { host: outside ?? '' })
    expect(far.socket.destroyed).toBe(false)
  })

  it('close works more than once, and before a start', async () => {
    const proxy = await start(good)
    await proxy.close()
    await proxy.close()
    expect(proxy.addresses).toEqual({ http: undefined, socks5: undefined })
  })
})
