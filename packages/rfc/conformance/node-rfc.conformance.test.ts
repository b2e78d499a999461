import { once } from 'node:events'
import { type IncomingMessage, request as httpRequest } from 'node:http'
import type { Duplex } from 'node:stream'
import { inspect } from 'node:util'
import {
  ConnectivityError,
  createSecret,
  type Credentials,
  type Dial,
  parseDestination,
  type RfcDestination,
  silentLogger,
  systemClock,
} from '@sallyport/core'
import { createDirectDial, createProxyDial } from '@sallyport/dial'
import { createAbapGateway } from '@sallyport/conformance/backends'
import { createMemoryPair, createSocksServer } from '@sallyport/test-fixtures'
import { describe, expect, it } from 'vitest'
import { createNodeRfcBinding, createRfcAdapter, type RfcClient } from '../src/index.ts'
import { createFakeNodeRfc, type FakeNodeRfc } from './fake-node-rfc.ts'

const developer: Credentials = { kind: 'basic', user: 'DEVELOPER', password: createSecret('secret') }
const onPremise = {
  'jco.client.ashost': 'erp.virtual',
  'jco.client.sysnr': '42',
  'jco.destination.proxy_type': 'OnPremise',
  'jco.client.cloud_connector_location_id': 'orlando',
}
const direct: Dial = createDirectDial()

async function connect(
  fake: FakeNodeRfc,
  properties: Readonly<Record<string, string>>,
  dial: Dial = direct,
  credentials: Credentials = developer,
): Promise<RfcClient> {
  const destination = parseDestination({ Name: 'ERP', Type: 'RFC', 'jco.client.client': '001', ...properties }) as RfcDestination
  return createRfcAdapter({
    clock: systemClock,
    bindings: [createNodeRfcBinding({ importModule: async () => ({ default: fake }) })],
  }).connect(destination, { dial, credentials, signal: AbortSignal.timeout(10_000), log: silentLogger })
}

/** Makes the library fail at once, so that what it was given can be looked at. */
async function parametersOf(properties: Readonly<Record<string, string>>, credentials: Credentials = developer): Promise<unknown> {
  const fake = createFakeNodeRfc()
  fake.failure = { name: 'RfcLibError', code: 1, key: 'RFC_COMMUNICATION_FAILURE', message: 'nobody is there' }
  await using client = await connect(fake, properties, direct, credentials)
  await expect(client.ping(AbortSignal.timeout(5000))).rejects.toMatchObject({ details: { group: 'COMMUNICATION', requestSent: false } })
  return fake.created[0]?.parameters
}

describe('the binding node-rfc', () => {
  it.each<[string, Readonly<Record<string, string>>, Readonly<Record<string, string>>]>([
    [
      'an application server',
      { 'jco.client.ashost': 'erp.test', 'jco.client.sysnr': '07', 'jco.client.lang': 'de', 'jco.client.saprouter': '/H/router.test/S/3299', 'jco.client.gwhost': 'gw.test', 'jco.client.gwserv': 'sapgw07' },
      { ashost: 'erp.test', sysnr: '07', lang: 'DE', saprouter: '/H/router.test/S/3299', gwhost: 'gw.test', gwserv: 'sapgw07' },
    ],
    ['a group by system ID', { 'jco.client.mshost': 'ms.test', 'jco.client.r3name': 'abc' }, { mshost: 'ms.test', r3name: 'ABC', group: 'PUBLIC' }],
    ['a group by port', { 'jco.client.mshost': 'ms.test', 'jco.client.msserv': '3600', 'jco.client.group': 'SPACE' }, { mshost: 'ms.test', msserv: '3600', group: 'SPACE' }],
    [
      'a WebSocket',
      { 'jco.client.wshost': 'ws.test', 'jco.client.wsport': '44300', 'jco.client.tls_trust_all': '1', 'jco.client.tls_client_certificate_logon': '1', 'jco.client.tls_client_pse': '/etc/client.pse' },
      { wshost: 'ws.test', wsport: '44300', use_tls: '1', tls_trust_all: '1', tls_client_certificate_logon: '1', tls_client_pse: '/etc/client.pse' },
    ],
    [
      'SNC',
      { 'jco.client.ashost': 'erp.test', 'jco.client.sysnr': '00', 'jco.client.snc_mode': '1', 'jco.client.snc_partnername': 'p:CN=ERP', 'jco.client.snc_myname': 'p:CN=ME', 'jco.client.snc_qop': '9', 'jco.client.snc_lib': '/usr/lib/libsapcrypto.so', 'jco.client.snc_sso': '0' },
      { ashost: 'erp.test', sysnr: '00', snc_mode: '1', snc_partnername: 'p:CN=ERP', snc_myname: 'p:CN=ME', snc_qop: '9', snc_lib: '/usr/lib/libsapcrypto.so', snc_sso: '0' },
    ],
    [
      'tickets and details',
      { 'jco.client.ashost': 'erp.test', 'jco.client.sysnr': '00', 'jco.client.mysapsso2': 'AjEx', 'jco.client.x509cert': 'MIIB', 'jco.client.extid_type': 'UN', 'jco.client.extid_data': 'x', 'jco.client.trace': '1', 'jco.client.codepage': '1404', 'jco.client.delta': '0', 'jco.client.serialization_format': 'columnBased', 'jco.client.network': 'WAN', 'jco.destination.pool_capacity': '5' },
      { ashost: 'erp.test', sysnr: '00', mysapsso2: 'AjEx', x509cert: 'MIIB', extidtype: 'UN', extiddata: 'x', trace: '1', codepage: '1404', delta: '0', serialization_format: 'columnBased' },
    ],
  ])('PR-073 makes of %s exactly these parameters', async (_what, properties, expected) => {
    expect(await parametersOf(properties)).toEqual({ client: '001', user: 'DEVELOPER', passwd: 'secret', ...expected })
  }) // prettier-ignore

  it('PR-073 logs on with an alias, or without a user', async () => {
    const server = { 'jco.client.ashost': 'erp.test', 'jco.client.sysnr': '00' }
    const alias: Credentials = { kind: 'basic', user: 'jane.doe@acme.test', password: createSecret('secret') }
    expect(await parametersOf({ ...server, 'jco.client.alias_user': 'jane.doe@acme.test' }, alias)).toEqual({
      client: '001',
      alias_user: 'jane.doe@acme.test',
      passwd: 'secret',
      ashost: 'erp.test',
      sysnr: '00',
    })
    expect(await parametersOf(server, { kind: 'none' })).toEqual({ client: '001', ashost: 'erp.test', sysnr: '00' })
  })

  it('PR-060, PR-074 leads the library through SOCKS5 by a loopback port, to port 3342 for system number 42', async () => {
    await using gateway = await createAbapGateway()
    await using proxy = await createSocksServer({
      token: 'proxy-token',
      route: (host, port) => (host === 'erp.virtual' && port === 3342 ? gateway.address : 4),
    })
    const dial = createProxyDial({ kind: 'socks5', proxy: proxy.address, token: async () => createSecret('proxy-token') })
    const fake = createFakeNodeRfc()
    const client = await connect(fake, { ...onPremise, 'jco.client.lang': 'EN' }, dial)
    expect((await client.call('STFC_CONNECTION', { requtext: 'through the tunnel' }))['ECHOTEXT']).toBe('through the tunnel')

    const [made] = fake.created
    expect(made?.parameters).toMatchObject({ ashost: '127.0.0.1', sysnr: expect.stringMatching(/^\d\d$/), user: 'DEVELOPER' })
    expect(Object.keys(made?.parameters ?? {}).toSorted()).toEqual(['ashost', 'client', 'lang', 'passwd', 'sysnr', 'user'])
    expect(proxy.attempts.map(({ host, port, locationId }) => [host, port, locationId])).toEqual([['erp.virtual', 3342, 'orlando']])
    expect(gateway.seen.calls.map(({ functionName }) => functionName)).toContain('STFC_CONNECTION')

    // Each connection has a way of its own, and a session keeps its.
    const counts = await client.withSession(async (session) => [await session.call('Z_COUNT'), await session.call('Z_COUNT')])
    expect(counts).toEqual([{ COUNT: 1 }, { COUNT: 2 }])
    expect(await client.call('Z_COUNT')).toEqual({ COUNT: 1 })
    await Promise.all([client.call('Z_COUNT'), client.call('Z_COUNT')])
    expect(fake.created).toHaveLength(2)
    expect(new Set(fake.created.map(({ parameters }) => parameters['sysnr'])).size).toBe(2)

    const { parameters } = await client.describe('STFC_CHANGING')
    expect(parameters.map(({ name, direction }) => `${direction} ${name}`)).toEqual([
      'importing START_VALUE',
      'changing COUNTER',
      'exporting RESULT',
    ])
    await client[Symbol.asyncDispose]()
    await gateway.idle()
    await proxy.idle()
  })

  it('PR-074 says why the way to the system ended, which the library does not know', async () => {
    await using gateway = await createAbapGateway({
      script: ({ step }) => (step === 'initialize' ? { bytes: [], end: 'close' } : undefined),
    })
    const fake = createFakeNodeRfc()
    await using refused = await connect(fake, onPremise, async () => {
      throw new ConnectivityError('ACCESS_DENIED', 'denied by the connector')
    })
    await expect(refused.ping(AbortSignal.timeout(5000))).rejects.toMatchObject({ code: 'ACCESS_DENIED' })
    expect(fake.created).toEqual([])
    await using cut = await connect(fake, onPremise, async (_address, options) => direct(gateway.address, options))
    await expect(cut.ping(AbortSignal.timeout(5000))).rejects.toMatchObject({ details: { group: 'COMMUNICATION', requestSent: false } })
    await gateway.idle()
  })

  it.each<[number, Readonly<Record<string, unknown>>, string, Readonly<Record<string, unknown>>]>([
    [1, { key: 'RFC_COMMUNICATION_FAILURE', message: 'partner not reached' }, 'BACKEND_UNREACHABLE', { group: 'COMMUNICATION', requestSent: true }],
    [2, { key: 'RFC_LOGON_FAILURE', message: 'Name or password is incorrect' }, 'LOGON_REFUSED', { group: 'LOGON', groupNumber: 103 }],
    [3, { key: 'COMPUTE_INT_ZERODIVIDE', message: 'Division by 0' }, 'BACKEND_FAILED', { group: 'SYSTEM_FAILURE', key: 'COMPUTE_INT_ZERODIVIDE' }],
    [4, { key: 'SR006', message: 'Function not supported', abapMsgClass: 'SR', abapMsgType: 'A', abapMsgNumber: '006', abapMsgV1: 'x' }, 'BACKEND_FAILED', { group: 'SYSTEM_FAILURE', messageClass: 'SR', messageType: 'A', messageNumber: '006', messageV1: 'x' }],
    [5, { name: 'ABAPError', key: 'EXAMPLE', message: 'Number:000' }, 'OPERATION_REFUSED', { group: 'ABAP_EXCEPTION', key: 'EXAMPLE' }],
    [7, { key: 'RFC_CANCELED', message: 'canceled' }, 'ABORTED', { group: 'COMMUNICATION' }],
    [8, { key: 'RFC_TIMEOUT', message: 'timeout' }, 'DEADLINE_EXCEEDED', { group: 'COMMUNICATION' }],
    [17, { key: 'FU_NOT_FOUND', message: 'not found' }, 'NOT_FOUND', { group: 'FUNCTION_NOT_FOUND', requestSent: false }],
    [20, { key: 'RFC_INVALID_PARAMETER', message: "field 'XXX' not found" }, 'MESSAGE_INVALID', { group: 'CONVERSION', requestSent: false }],
    [0, { name: 'nodeRfcError', code: undefined, message: 'Char expected' }, 'MESSAGE_INVALID', { group: 'CONVERSION', requestSent: false }],
  ])('PR-075 maps the error with code %i', async (code, error, expected, details) => {
    await using gateway = await createAbapGateway()
    const fake = createFakeNodeRfc()
    await using client = await connect(fake, onPremise, async (_address, options) => direct(gateway.address, options))
    await client.ping(AbortSignal.timeout(5000))
    fake.failure = { name: 'RfcLibError', code, ...error }
    await expect(client.call('STFC_CONNECTION')).rejects.toMatchObject({ code: expected, details })
    // The library reconnects by itself after some; those connections are not used again.
    const isKept = ['ABAP_EXCEPTION', 'FUNCTION_NOT_FOUND', 'CONVERSION'].includes(String(details['group']))
    await client.call('STFC_CONNECTION', { REQUTEXT: 'again' })
    expect(fake.created).toHaveLength(isKept ? 1 : 2)
    expect(fake.calls.filter((name) => name === 'call STFC_CONNECTION')).toHaveLength(2)
  }) // prettier-ignore

  it('keeps the password out of what the library says', async () => {
    const fake = createFakeNodeRfc()
    fake.failure = {
      name: 'RfcLibError',
      code: 2,
      key: 'RFC_LOGON_FAILURE',
      message: 'user=DEVELOPER passwd=secret',
      config: { passwd: 'secret' },
    }
    await using client = await connect(fake, { 'jco.client.ashost': 'erp.test', 'jco.client.sysnr': '00' })
    const error: unknown = await client.ping(AbortSignal.timeout(5000)).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'LOGON_REFUSED', message: expect.stringContaining('passwd=[redacted]') })
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('secret')
  })

  it('cancels a call that is given up, and closes its connection', async () => {
    await using gateway = await createAbapGateway()
    const fake = createFakeNodeRfc()
    await using client = await connect(fake, onPremise, async (_address, options) => direct(gateway.address, options))
    fake.stuckFunction = 'STFC_CONNECTION'
    const controller = new AbortController()
    const call = client.call('STFC_CONNECTION', {}, { signal: controller.signal }).catch((error: unknown) => error)
    await expect.poll(() => fake.calls).toContain('call STFC_CONNECTION')
    controller.abort()
    expect(await call).toMatchObject({ code: 'ABORTED', details: { group: 'COMMUNICATION', requestSent: true } })
    expect(fake.calls).toContain('cancel')
    await gateway.idle()
  })

  it.each([
    [{ 'jco.client.saprouter': '/H/router.test' }, 'jco.client.saprouter'],
    [{ 'jco.client.gwserv': 'sapgw00' }, 'jco.client.gwhost'],
    [{ 'jco.client.snc_mode': '1', 'jco.client.snc_partnername': 'p:CN=ERP' }, 'jco.client.snc_mode'],
  ])('refuses behind a connector what only a direct connection can have: %j', async (properties, name) => {
    await expect(connect(createFakeNodeRfc(), { ...onPremise, ...properties })).rejects.toMatchObject({
      code: 'DESTINATION_INVALID',
      message: expect.stringContaining(name),
    })
  })

  it('PR-061 refuses a group behind a connector that has no number, and dials the number where there is one', async () => {
    const group = { 'jco.destination.proxy_type': 'OnPremise', 'jco.client.mshost': 'ms.virtual' }
    await expect(connect(createFakeNodeRfc(), { ...group, 'jco.client.r3name': 'ABC' })).rejects.toMatchObject({
      code: 'DESTINATION_INVALID',
      message: expect.stringContaining('jco.client.msserv'),
    })
    await using gateway = await createAbapGateway()
    const dialled: string[] = []
    await using client = await connect(createFakeNodeRfc(), { ...group, 'jco.client.msserv': '3600' }, async ({ host, port }, options) => {
      dialled.push(`${host}:${port}`)
      return direct(gateway.address, options)
    })
    await client.ping(AbortSignal.timeout(5000))
    expect(dialled).toEqual(['ms.virtual:3600'])
  })

  it('leads the library to a WebSocket behind a connector by a local proxy that knows one target, one password and one connection', async () => {
    const [near, far] = createMemoryPair()
    far.on('data', (chunk: Buffer) => far.write(`far side has ${String(chunk)}`))
    const dialled: string[] = []
    const fake = createFakeNodeRfc()
    const heard: string[] = []
    fake.onOpen = async (parameters) => {
      const ask = (authority: string, password: string): Promise<readonly [number, Duplex]> =>
        connectBy({ port: Number(parameters['proxy_port']), user: parameters['proxy_user'] ?? '', password }, authority)
      const right = parameters['proxy_passwd'] ?? ''
      heard.push(String((await ask('ws.virtual:44300', 'guessed'))[0]), String((await ask('other.virtual:44300', right))[0]))
      const [status, socket] = await ask('ws.virtual:44300', right)
      socket.write('hello')
      const [said] = (await once(socket, 'data')) as [Buffer]
      heard.push(String(status), String(said), String((await ask('ws.virtual:44300', right))[0]))
    }
    const socket = { 'jco.client.wshost': 'ws.virtual', 'jco.client.wsport': '44300', 'jco.destination.proxy_type': 'OnPremise' }
    const client = await connect(fake, socket, async ({ host, port }, { locationId }) => {
      dialled.push(`${host}:${port} ${locationId}`)
      return near
    })
    await expect(client.ping(AbortSignal.timeout(5000))).rejects.toMatchObject({ details: { group: 'COMMUNICATION' } })
    expect(heard).toEqual(['407', '403', '200', 'far side has hello', '403'])
    expect(dialled).toEqual(['ws.virtual:44300 '])
    expect(fake.created[0]?.parameters).toMatchObject({ wshost: 'ws.virtual', wsport: '44300', use_tls: '1', proxy_host: '127.0.0.1' })
    await client[Symbol.asyncDispose]()
    await expect.poll(() => near.destroyed).toBe(true)
  })
})

/** As a library that knows HTTP proxies does. */
async function connectBy(
  { port, user, password }: { readonly port: number; readonly user: string; readonly password: string },
  authority: string,
): Promise<readonly [number, Duplex]> {
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  const request = httpRequest({
    host: '127.0.0.1',
    port,
    method: 'CONNECT',
    path: authority,
    headers: { 'proxy-authorization': authorization },
    agent: false,
  })
  request.end()
  const [response, socket] = (await once(request, 'connect')) as [IncomingMessage, Duplex]
  socket.on('error', () => {})
  return [response.statusCode ?? 0, socket]
}
