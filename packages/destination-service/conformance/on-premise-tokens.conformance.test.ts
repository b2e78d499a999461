import { ConnectivityError, createSecret } from '@sallyport/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createConnectivityProxyRoute, createOutgoing } from '../src/index.ts'
import { entryOf, failed, find, store } from './look-up.ts'
import { providerSubaccount, type RunningService, startService } from './running-service.ts'
import { startTokenServer, type TokenServer } from './token-server.ts'

let running: RunningService
/** Stands for the connectivity proxy, and answers as the token service behind it would. */
let proxy: TokenServer
let tokenServer: TokenServer
let given: string[]
let forgotten: string[]
beforeEach(async () => {
  proxy = await startTokenServer()
  tokenServer = await startTokenServer()
  given = []
  forgotten = []
  const tokens = {
    get: async (subaccountId: string) => {
      if (subaccountId === 'unknown') throw new ConnectivityError('TOKEN_NOT_ISSUED', 'no connectivity instance; secret-detail')
      given.push(subaccountId)
      return createSecret(`proxy-token-${given.length}`)
    },
    forget: (subaccountId: string) => void forgotten.push(subaccountId),
  }
  const onPremise = createConnectivityProxyRoute({ proxyOrigin: new URL(proxy.url).origin, tokens })
  running = await startService({ outgoing: createOutgoing({ privateAddresses: 'allow', onPremise }) })
})
afterEach(async () => {
  await running.close()
  await proxy.close()
  await tokenServer.close()
})

const destination = (more: Record<string, string> = {}): Record<string, string> => ({
  Name: 'd',
  Type: 'HTTP',
  URL: 'http://erp.virtual:8000',
  ProxyType: 'OnPremise',
  Authentication: 'OAuth2ClientCredentials',
  clientId: 'orders',
  clientSecret: 's',
  tokenServiceURL: 'http://auth.virtual:8443/oauth/token?a=%20',
  ...more,
})

describe('a token service on premise', () => {
  it('DS-068 is called through the connector by its virtual name, and directly when the destination says so', async () => {
    await store(running, destination({ CloudConnectorLocationId: 'plant 1' }))
    expect(await entryOf(running)).toMatchObject({ type: 'Bearer', value: 'token-1' })
    expect(proxy.calls).toMatchObject([
      {
        method: 'POST',
        url: 'http://auth.virtual:8443/oauth/token?a=%20',
        host: 'auth.virtual:8443',
        headers: { 'proxy-authorization': 'Bearer proxy-token-1', 'sap-connectivity-scc-location_id': 'plant 1' },
      },
    ])
    expect(Object.fromEntries(proxy.calls[0]?.form ?? [])).toEqual({
      grant_type: 'client_credentials',
      client_id: 'orders',
      client_secret: 's',
    })
    expect(given).toEqual([providerSubaccount])
    await store(running, destination({ 'tokenServiceURL.ProxyType': 'Internet', tokenServiceURL: tokenServer.url }))
    expect(await entryOf(running)).toMatchObject({ type: 'Bearer' })
    expect(tokenServer.calls).toHaveLength(1)
    expect(tokenServer.calls[0]?.headers).not.toHaveProperty('proxy-authorization')
    await store(running, destination({ ProxyType: 'Internet', 'tokenServiceURL.ProxyType': 'OnPremise' }))
    expect(await entryOf(running)).toMatchObject({ type: 'Bearer', value: 'token-2' })
    expect(proxy.calls[1]?.headers).not.toHaveProperty('sap-connectivity-scc-location_id')
  })

  it('is that of the subaccount whose destination it is', async () => {
    const subscriber = running.token({ subaccount: 'subscriber' })
    await running.call('POST', '/v1/subaccountDestinations', { body: destination(), token: subscriber })
    expect(await entryOf(running, {}, { token: subscriber })).toMatchObject({ type: 'Bearer' })
    expect(given).toEqual(['subscriber'])
    await store(running, destination())
    expect(await entryOf(running)).toMatchObject({ value: 'token-2' })
  })

  it('cannot be reached when the proxy refuses, and the proxy’s token is then given up', async () => {
    await store(running, destination())
    proxy.answer((_call, response) => response.writeHead(407).end('Proxy authorization failed: the token has expired'))
    expect(await entryOf(running)).toEqual(failed(expect.stringContaining('Proxy authorization failed')))
    expect(forgotten).toEqual([providerSubaccount])
    proxy.answer((_call, response) => response.writeHead(503).end('There is no cloud connector connected'))
    expect(await entryOf(running)).toEqual(failed(expect.stringContaining('There is no cloud connector connected')))
    expect(forgotten).toHaveLength(1)
  })

  it('cannot be reached for a subaccount without token of the proxy, and why is not told', async () => {
    const unknown = running.token({ subaccount: 'unknown' })
    await running.call('POST', '/v1/subaccountDestinations', { body: destination(), token: unknown })
    const entry = await entryOf(running, {}, { token: unknown })
    expect(entry).toEqual(failed(expect.stringContaining('could not be authorised')))
    expect(entry.error).not.toContain('secret-detail')
    expect(proxy.calls).toEqual([])
  })

  it.each(['proxy-authorization', 'SAP-Connectivity-SCC-Location_ID', 'sap-connectivity-authentication'])(
    'cannot be given the header %s',
    async (name) => {
      await store(running, destination({ [`tokenServiceURL.headers.${name}`]: 'x' }))
      expect(await entryOf(running)).toEqual(failed(expect.stringContaining('cannot be set')))
      await store(running, destination({ CloudConnectorLocationId: 'a\r\nb' }))
      expect(await entryOf(running)).toEqual(failed(expect.stringContaining('CloudConnectorLocationId')))
      expect(proxy.calls).toEqual([])
    },
  )

  it('never gets the token of another location’s', async () => {
    const values = []
    for (const CloudConnectorLocationId of ['a', 'b', 'a']) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await store(running, destination({ CloudConnectorLocationId }))
      // oxlint-disable-next-line no-await-in-loop -- as above
      values.push((await entryOf(running)).value)
    }
    expect(values).toEqual(['token-1', 'token-2', 'token-1'])
    await find(running)
    expect(proxy.calls).toHaveLength(2)
  })
})
