import { createSecret, credentialsOf, type Logger, type RfcDestination } from '@sallyport/core'
import { createProxyDial } from '@sallyport/dial'
import { appcFunctions, parseAppcRecord, isRefused } from '@sallyport/rfc-wire'
import { type AbapGateway, type AbapGatewayOptions, createAbapGateway } from '@sallyport/conformance/backends'
import {
  createManualClock,
  createMessageServer,
  createSapRouter,
  createSocksServer,
  type MessageServerOptions,
  type SapRouterOptions,
} from '@sallyport/test-fixtures'
import { afterEach, describe, expect, it } from 'vitest'
import { rfcErrorGroup } from '../src/index.ts'
import {
  type ClassicClient,
  type ClassicClientOptions,
  classicDestination,
  createClassicClient,
  failureOf,
  loopbackDial,
} from './classic-system.ts'

const open: AsyncDisposable[] = []
afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each[Symbol.asyncDispose]()
})

function kept<T extends AsyncDisposable>(each: T): T {
  open.push(each)
  return each
}

async function connected(
  gatewayOptions: AbapGatewayOptions = {},
  options: ClassicClientOptions = {},
): Promise<ClassicClient & { readonly gateway: AbapGateway }> {
  const gateway = kept(await createAbapGateway(gatewayOptions))
  const classic = await createClassicClient(gateway.address, options)
  kept(classic.client)
  return { ...classic, gateway }
}

interface LogLine {
  readonly level: string
  readonly message: string
  readonly functionName?: unknown
}

function recordingLog(): { readonly log: Logger; readonly lines: readonly LogLine[] } {
  const lines: LogLine[] = []
  const at =
    (level: string): Logger['info'] =>
    (fields, message) =>
      void lines.push({ ...fields, level, message })
  const log: Logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), child: () => log }
  return { log, lines }
}

/** In the clear, as without a connector. */
const direct = { 'jco.destination.proxy_type': 'Internet' }
const balanced = {
  ...direct,
  'jco.client.ashost': '',
  'jco.client.sysnr': '',
  'jco.client.mshost': 'ms.example',
  'jco.client.msserv': '3600',
}

describe('a connection', () => {
  it('PR-060 to system 42 begins at the gateway sapgw42, which is port 3342, over SOCKS5 as well', async () => {
    const gateway = kept(await createAbapGateway())
    const proxy = kept(await createSocksServer({ token: 'proxy-token', route: () => gateway.address }))
    const dial = createProxyDial({ kind: 'socks5', proxy: proxy.address, token: async () => createSecret('proxy-token') })
    const { client, dialled } = await createClassicClient(gateway.address, { dial })
    kept(client)
    expect(await client.call('STFC_CONNECTION', { REQUTEXT: 'through the proxy' })).toMatchObject({ ECHOTEXT: 'through the proxy' })
    expect(dialled).toEqual(['erp.example:3342'])
    expect(proxy.attempts).toMatchObject([{ host: 'erp.example', port: 3342 }])
    expect(gateway.seen.initializations).toMatchObject([{ logicalUnit: 'erp.example', transactionProgram: 'sapdp42' }])
  })

  it('PR-081 is set up in the eleven steps, and nothing is awaited after SET_PARTNER_LU_NAME, which nobody answers', async () => {
    const { client, gateway } = await connected()
    await client.call('STFC_CONNECTION', { REQUTEXT: 'x' })
    await client[Symbol.asyncDispose]()
    await gateway.idle()
    const [connect, ...records] = gateway.seen.messages.map(({ payload }) => payload)
    expect([connect?.length, connect?.[0], connect?.[1], connect?.toString('latin1', 20, 24)]).toEqual([64, 2, 3, '1100'])
    const { initialize, setPartnerLogicalUnit, allocate, sapSend, deallocate } = appcFunctions
    const functions = records.map((payload) => {
      const record = parseAppcRecord(payload)
      return isRefused(record) ? record.refused : record.function
    })
    // Logon, two requests for the interface and the call itself lie between the set-up and the end.
    expect(functions).toEqual([initialize, setPartnerLogicalUnit, allocate, sapSend, sapSend, sapSend, deallocate])
    expect(gateway.seen).toMatchObject({ deallocated: 1, violations: [] })
  })

  it('PR-082 sends 373 bytes of INITIALIZE parameters with their fields in their places', async () => {
    const { client, gateway } = await connected()
    await client.ping(AbortSignal.timeout(5000))
    const payload = gateway.seen.messages[1]?.payload ?? Buffer.alloc(0)
    expect([payload.length, payload.readUInt16BE(26)]).toEqual([80 + 373, 373])
    const text = (from: number, bytes: number): string => payload.toString('latin1', from, from + bytes).replace(/[\0 ]+$/, '')
    expect([text(48, 8), text(56, 8), text(64, 8), payload[72], payload[73]]).toEqual(['NWRFC', 'erp.exam', 'sapdp42', 0x49, 1])
    const at = 80
    expect([text(at, 32), payload[at + 32], payload[at + 33], text(at + 34, 8)]).toEqual(['NWRFC', 1, 1, 'CPIC'])
    expect([text(at + 42, 16), text(at + 58, 16)]).toEqual([expect.stringMatching(/^[\dA-F]{16}$/), expect.stringMatching(/^[\dA-F]{16}$/)])
    expect([payload.readUInt32BE(at + 74), payload.readInt32BE(at + 78), payload.readInt32BE(at + 82)]).toEqual([1, -2, -2])
    expect([text(at + 105, 128), text(at + 309, 64)]).toEqual(['erp.example', 'sapdp42'])
  })

  it('to a host with a name of 255 characters is set up with as much of it as there is room for', async () => {
    const host = `${'long.'.repeat(49)}example.or`
    const { client, gateway, dialled } = await connected({}, { properties: { 'jco.client.ashost': host } })
    await client.ping(AbortSignal.timeout(5000))
    expect(dialled).toEqual([`${host}:3342`])
    expect(gateway.seen.initializations).toMatchObject([{ logicalUnit: host.slice(0, 128) }])
  })

  it('begins at the gateway that jco.client.gwhost and gwserv name, for the system that ashost names', async () => {
    const { client, gateway, dialled } = await connected(
      {},
      { properties: { 'jco.client.gwhost': 'gw.example', 'jco.client.gwserv': 'sapgw07' } },
    )
    await client.ping(AbortSignal.timeout(5000))
    expect(dialled).toEqual(['gw.example:3307'])
    expect(gateway.seen.initializations).toMatchObject([{ logicalUnit: 'erp.example', transactionProgram: 'sapdp42' }])
  })

  it('with jco.client.trace tells which functions are called, and nothing of what they are given', async () => {
    const { log, lines } = recordingLog()
    const { client } = await connected({}, { log, properties: { 'jco.client.trace': '1' } })
    await client.call('STFC_CONNECTION', { REQUTEXT: 'a s3cret text' })
    const traced = lines.filter(({ message }) => message === 'RFC function called')
    expect(traced.map(({ functionName }) => functionName)).toEqual(['RFC_GET_FUNCTION_INTERFACE', 'STFC_CONNECTION'])
    expect(JSON.stringify(lines)).not.toMatch(/s3cret|"secret"/)
  })

  it('says that it sends rows where the destination asks for columns', async () => {
    const { log, lines } = recordingLog()
    const { client } = await connected({}, { log, properties: { 'jco.client.serialization_format': 'columnBased' } })
    await client.ping(AbortSignal.timeout(5000))
    expect(lines.filter(({ level }) => level === 'warn')).toMatchObject([{ message: expect.stringContaining('columnBased') }])
  })

  it('is pooled, logs on once, and says goodbye when the client is disposed', async () => {
    const { client, gateway } = await connected()
    for (let turn = 0; turn < 5; turn += 1) await client.call('STFC_CONNECTION', { REQUTEXT: 'x' })
    await client.ping(AbortSignal.timeout(5000))
    expect([gateway.accepted, gateway.seen.logons.length, gateway.seen.calls.at(-1)?.functionName]).toEqual([1, 1, 'RFC_PING'])
    // The interface was looked up once.
    expect(gateway.seen.calls.filter(({ functionName }) => functionName === 'RFC_GET_FUNCTION_INTERFACE')).toHaveLength(1)
    await client[Symbol.asyncDispose]()
    await gateway.idle()
    expect(gateway.seen.deallocated).toBe(1)
  })
})

describe('a session', () => {
  it('PR-068 keeps what the system remembers over calls, and the next lease of the connection starts clean', async () => {
    const { client, gateway } = await connected({}, { properties: { 'jco.destination.pool_capacity': '1' } })
    const counts = await client.withSession(async (session) => [
      await session.call('Z_COUNT'),
      await session.call('Z_COUNT'),
      await session.call('Z_COUNT'),
    ])
    expect(counts).toEqual([{ COUNT: 1 }, { COUNT: 2 }, { COUNT: 3 }])
    expect(await client.withSession((session) => session.call('Z_COUNT'))).toEqual({ COUNT: 1 })
    expect(gateway.accepted).toBe(1)
    expect(gateway.seen.calls.filter(({ functionName }) => functionName === 'SYSTEM_RESET_RFC_SERVER')).not.toHaveLength(0)
  })

  it('that the system does not say to have cleared is not used again', async () => {
    const { client, gateway } = await connected({
      functions: [{ name: 'SYSTEM_RESET_RFC_SERVER', parameters: [], run: () => ({}) }],
    })
    await client.withSession((session) => session.call('Z_COUNT'))
    expect(await client.withSession((session) => session.call('Z_COUNT'))).toEqual({ COUNT: 1 })
    expect(gateway.accepted).toBe(2)
  })
})

describe('a logon', () => {
  it('PR-083 carries the password scrambled, so that the system reads it', async () => {
    const { client, gateway } = await connected()
    await client.ping(AbortSignal.timeout(5000))
    // The fixture unscrambles it, and compares.
    expect(gateway.seen.logons).toEqual([{ connection: 1, client: '001', user: 'DEVELOPER', language: 'E', accepted: true }])
    const sent = Buffer.concat(gateway.seen.messages.map(({ payload }) => payload))
    expect(sent.includes('secret')).toBe(false)
  })

  it('PR-084 that the system refuses fails as LOGON with its words, without the password, and closes the connection', async () => {
    const { client, gateway } = await connected({}, { properties: { 'jco.client.passwd': 'wr0ng' } })
    const error = await failureOf(client.call('STFC_CONNECTION', {}))
    expect([rfcErrorGroup(error), error.code]).toEqual(['LOGON', 'LOGON_REFUSED'])
    expect(error.message).toContain('Name or password is incorrect (repeat logon)')
    expect(JSON.stringify([error.message, error.details, error.stack, error.cause])).not.toContain('wr0ng')
    await gateway.idle()
    expect([gateway.accepted, gateway.seen.logons.length, gateway.seen.calls.length]).toEqual([1, 1, 0])
  })

  it.each([
    ['EN', 'E'],
    ['de', 'D'],
    ['ZH', '1'],
    ['P', 'P'],
  ])('in the language %s names SAP’s code %s', async (language, code) => {
    const { client, gateway } = await connected({}, { properties: { 'jco.client.lang': language } })
    await client.ping(AbortSignal.timeout(5000))
    expect(gateway.seen.logons).toMatchObject([{ language: code }])
  })

  it('PR-115 over a connection that no connector carries fails before anything is dialled, unless allowPlaintext is set', async () => {
    const gateway = kept(await createAbapGateway())
    const dialled: string[] = []
    const dial: typeof loopbackDial extends (...args: never[]) => infer Dial ? Dial : never = (address, options) => {
      dialled.push(address.host)
      return loopbackDial(gateway.address)(address, options)
    }
    const error = await failureOf(createClassicClient(gateway.address, { properties: direct, dial }))
    expect(error.code).toBe('CONFIGURATION_INVALID')
    expect(error.message).toMatch(/allowPlaintext/)
    expect(dialled).toEqual([])
    const { client } = await createClassicClient(gateway.address, { properties: direct, dial, allowPlaintext: true })
    kept(client)
    expect(await client.call('STFC_CONNECTION', { REQUTEXT: 'x' })).toMatchObject({ ECHOTEXT: 'x' })
    expect(dialled).toEqual(['erp.example'])
  })

  it.each<[string, Readonly<Record<string, string>>, RegExp]>([
    ['SNC', { 'jco.client.snc_mode': '1', 'jco.client.snc_partnername': 'p:CN=ERP' }, /SNC/],
    ['an alias', { 'jco.client.user': '', 'jco.client.alias_user': 'jane' }, /alias_user/],
    ['a ticket', { 'jco.client.mysapsso2': 'abc' }, /mysapsso2/],
    [
      'a WebSocket',
      { 'jco.client.ashost': '', 'jco.client.sysnr': '', 'jco.client.wshost': 'ws.example', 'jco.client.wsport': '443' },
      /WebSocket/,
    ],
    ['another code page', { 'jco.client.codepage': '4103' }, /codepage/],
    ['a password that is not ASCII', { 'jco.client.passwd': 'pässword' }, /jco\.client\.passwd is not/],
    ['no password', { 'jco.client.passwd': '' }, /jco\.client\.passwd/],
    ['a user that is not ASCII', { 'jco.client.user': 'Jürgen' }, /jco\.client\.user is not/],
    ['an unknown language', { 'jco.client.lang': 'QQ' }, /jco\.client\.lang/],
    ['a host that is not ASCII', { 'jco.client.ashost': 'erp.köln.example' }, /ashost/],
    [
      'a logon group that is not ASCII',
      {
        'jco.client.ashost': '',
        'jco.client.sysnr': '',
        'jco.client.mshost': 'ms.example',
        'jco.client.msserv': '3600',
        'jco.client.group': 'KÖLN',
      },
      /group/,
    ],
    ['a SAProuter behind a connector', { 'jco.client.saprouter': '/H/router' }, /saprouter/],
  ])('with %s is refused before anything is dialled', async (_title, properties, message) => {
    const gateway = kept(await createAbapGateway())
    const error = await failureOf(createClassicClient(gateway.address, { properties }))
    expect(error.code).toBe('DESTINATION_INVALID')
    expect(error.message).toMatch(message)
    expect(error.message).not.toContain('pässword')
    expect(gateway.accepted).toBe(0)
  })
})

describe('load balancing', () => {
  async function system(options: Partial<MessageServerOptions> = {}): Promise<{
    readonly gateways: readonly AbapGateway[]
    readonly messageServer: Awaited<ReturnType<typeof createMessageServer>>
    readonly connect: (properties?: Readonly<Record<string, string>>, more?: ClassicClientOptions) => Promise<ClassicClient>
  }> {
    const gateways = [kept(await createAbapGateway()), kept(await createAbapGateway())]
    const servers = gateways.map((_, at) => ({ host: `app${at}.example`, dispatcherPort: 3200 + at }))
    const messageServer = kept(await createMessageServer({ groups: { PUBLIC: servers, SECOND: servers.slice(1) }, ...options }))
    const route = ({ host }: { readonly host: string }): AbapGateway['address'] =>
      host === 'ms.example' ? messageServer.address : (gateways[Number(host.slice(3, 4))]?.address ?? messageServer.address)
    const connect = async (properties: Readonly<Record<string, string>> = {}, more: ClassicClientOptions = {}): Promise<ClassicClient> => {
      const classic = await createClassicClient(route, { properties: { ...balanced, ...properties }, allowPlaintext: true, ...more })
      kept(classic.client)
      return classic
    }
    return { gateways, messageServer, connect }
  }

  it('PR-080 asks the message server for the group, and connects to the gateway 100 above the dispatcher', async () => {
    const { messageServer, gateways, connect } = await system()
    const { client, dialled } = await connect({ 'jco.client.group': 'SECOND' })
    await client.ping(AbortSignal.timeout(5000))
    expect(dialled).toEqual(['ms.example:3600', 'app1.example:3301'])
    expect([messageServer.lookups, messageServer.logouts]).toEqual([['SECOND'], 1])
    expect(gateways[1]?.seen.initializations).toMatchObject([{ logicalUnit: 'app1.example', transactionProgram: 'sapdp01' }])
  })

  it('PR-080 of a group that nobody knows fails naming the group, and is no fault of the connection', async () => {
    const { connect, messageServer } = await system()
    const { client } = await connect({ 'jco.client.group': 'NOBODY' })
    const error = await failureOf(client.ping(AbortSignal.timeout(5000)))
    expect([rfcErrorGroup(error), error.code]).toEqual(['LOGON', 'DESTINATION_INVALID'])
    expect(error.message).toContain('"NOBODY"')
    await messageServer.idle()
    expect(messageServer.logouts).toBe(1)
  })

  it('takes the service of the message server from the list of the binding', async () => {
    const { connect } = await system()
    const { client, dialled } = await connect(
      { 'jco.client.msserv': '', 'jco.client.r3name': 'a4h' },
      { services: { sapmsA4H: 3611 }, allowPlaintext: true },
    )
    await client.ping(AbortSignal.timeout(5000))
    expect(dialled).toEqual(['ms.example:3611', 'app0.example:3300'])
  })

  it('PR-061 over SOCKS5 without msserv is an error of the destination', async () => {
    const proxy = kept(await createSocksServer({ token: 'proxy-token', route: () => 1 }))
    const dial = createProxyDial({ kind: 'socks5', proxy: proxy.address, token: async () => createSecret('proxy-token') })
    const properties = { ...balanced, 'jco.destination.proxy_type': 'OnPremise', 'jco.client.msserv': '', 'jco.client.r3name': 'A4H' }
    const error = await failureOf(createClassicClient(proxy.address, { properties, dial }))
    expect(error.code).toBe('DESTINATION_INVALID')
    expect(error.message).toContain('jco.client.msserv')
    expect(proxy.attempts).toEqual([])
  })

  it('behind a connector leaves the choice to the connector: what is dialled is the gateway', async () => {
    const gateway = kept(await createAbapGateway())
    const { client, dialled } = await createClassicClient(gateway.address, {
      properties: { ...balanced, 'jco.destination.proxy_type': 'OnPremise' },
    })
    kept(client)
    expect(await client.call('STFC_CONNECTION', { REQUTEXT: 'x' })).toMatchObject({ ECHOTEXT: 'x' })
    expect(dialled).toEqual(['ms.example:3600'])
  })

  it.each<[string, Partial<MessageServerOptions>, string]>([
    ['refuses the login', { loginError: 5 }, 'BACKEND_UNREACHABLE'],
    ['answers with something else', { groupAnswer: Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n') }, 'PROTOCOL_VIOLATION'],
    ['goes away', { groupAnswer: 'close' }, 'BACKEND_UNREACHABLE'],
    ['is silent', { groupAnswer: 'silence' }, 'DEADLINE_EXCEEDED'],
  ])('fails when the message server %s', async (_title, options, code) => {
    const { connect } = await system(options)
    const { client } = await connect({}, { connectTimeoutMs: 400 })
    expect((await failureOf(client.ping(AbortSignal.timeout(5000)))).code).toBe(code)
  })
})

describe('a SAProuter', () => {
  async function behind(
    options: Partial<SapRouterOptions> = {},
    saprouter = '/H/router.example/S/3299',
    more: ClassicClientOptions = {},
  ): Promise<ClassicClient & { readonly router: Awaited<ReturnType<typeof createSapRouter>>; readonly gateway: AbapGateway }> {
    const gateway = kept(await createAbapGateway())
    const router = kept(await createSapRouter({ route: () => gateway.address, ...options }))
    const classic = await createClassicClient(router.address, {
      properties: { ...direct, 'jco.client.saprouter': saprouter },
      allowPlaintext: true,
      ...more,
    })
    kept(classic.client)
    return { ...classic, router, gateway }
  }

  it('PR-079 is asked for the way with the bytes of the specification, and when it has found it the call goes through', async () => {
    const { client, router, dialled } = await behind({}, '/H/rtr.example/S/3299', {
      properties: { ...direct, 'jco.client.saprouter': '/H/rtr.example/S/3299', 'jco.client.ashost': '10.0.0.7', 'jco.client.sysnr': '00' },
    })
    expect(await client.call('STFC_CONNECTION', { REQUTEXT: 'x' })).toMatchObject({ ECHOTEXT: 'x' })
    expect(dialled).toEqual(['rtr.example:3299'])
    expect(router.payloads[0]?.toString('hex')).toBe(
      '4e495f524f555445000228020000000100000021000000127274722e6578616d706c650033323939000031302e302e302e3700333330300000',
    )
  })

  it('PR-079 that denies the way fails as COMMUNICATION with its text', async () => {
    const { client } = await behind({ route: () => -94 })
    const error = await failureOf(client.ping(AbortSignal.timeout(5000)))
    expect([rfcErrorGroup(error), error.code]).toEqual(['COMMUNICATION', 'ACCESS_DENIED'])
    expect(error.message).toContain('route permission denied')
    expect(error.message).toContain('NIEROUT_PERM_DENIED')
  })

  it('that does not know the host fails naming what it said', async () => {
    const { client } = await behind({ route: () => -90 })
    const error = await failureOf(client.ping(AbortSignal.timeout(5000)))
    expect([error.code, rfcErrorGroup(error)]).toEqual(['BACKEND_UNREACHABLE', 'COMMUNICATION'])
    expect(error.message).toContain('NIEROUT_HOST_UNKNOWN')
  })

  it('takes its password, which is in no error', async () => {
    const given = await behind({ password: 'r0uter' }, '/H/router.example/S/3299/W/r0uter')
    await given.client.ping(AbortSignal.timeout(5000))
    const other = await behind({ password: 'r0uter' }, '/H/router.example/S/3299/W/0ther-pw')
    const error = await failureOf(other.client.ping(AbortSignal.timeout(5000)))
    expect(error.code).toBe('ACCESS_DENIED')
    expect(JSON.stringify([error.message, error.details, error.stack])).not.toContain('0ther-pw')
  })

  it('leads to a second one', async () => {
    const gateway = kept(await createAbapGateway())
    const second = kept(await createSapRouter({ route: () => gateway.address }))
    const { client, router } = await behind({ route: () => second.address }, '/H/router.example/H/second.example/S/3298')
    expect(await client.call('STFC_CONNECTION', { REQUTEXT: 'x' })).toMatchObject({ ECHOTEXT: 'x' })
    expect(router.requests).toMatchObject([{ passedHops: 1 }])
    expect(second.requests).toMatchObject([{ passedHops: 2, hops: [{}, { host: 'second.example', service: '3298' }, { service: '3342' }] }])
  })

  it('that is silent is given up', async () => {
    const { client } = await behind({ silent: true }, '/H/router.example', { connectTimeoutMs: 300 })
    expect((await failureOf(client.ping(AbortSignal.timeout(5000)))).code).toBe('DEADLINE_EXCEEDED')
  })
})

describe('descriptions', () => {
  const users = [
    { client: '001', user: 'DEVELOPER', password: 'secret' },
    { client: '001', user: 'READER', password: 'r3ader' },
  ]

  it('PR-070 are read as the repository user, who makes no call of the application', async () => {
    const properties = { 'jco.destination.repository.user': 'reader', 'jco.destination.repository.passwd': 'r3ader' }
    const { client, gateway } = await connected({ users }, { properties })
    await client.call('STFC_STRUCTURE', { IMPORTSTRUCT: {} })
    await client.call('STFC_CONNECTION', { REQUTEXT: 'x' })
    const callsOf = (user: string): readonly string[] =>
      gateway.seen.calls.filter((call) => call.user === user).map(({ functionName }) => functionName)
    expect(callsOf('DEVELOPER')).toEqual(['STFC_STRUCTURE', 'STFC_CONNECTION'])
    expect(new Set(callsOf('READER'))).toEqual(new Set(['RFC_GET_FUNCTION_INTERFACE', 'DDIF_FIELDINFO_GET']))
  })

  it('are read at the destination that the destination names', async () => {
    const repository = kept(await createAbapGateway({ users }))
    const target: RfcDestination = classicDestination({ Name: 'REPOSITORY', 'jco.client.user': 'reader', 'jco.client.passwd': 'r3ader' })
    const asked: string[] = []
    const { client, gateway } = await connected(
      {},
      {
        properties: { 'jco.destination.repository_destination': 'REPOSITORY' },
        async findRepository(name) {
          asked.push(name)
          return { destination: target, context: { dial: loopbackDial(repository.address), credentials: credentialsOf(target.properties) } }
        },
      },
    )
    await client.call('STFC_CONNECTION', { REQUTEXT: 'x' })
    expect(asked).toEqual(['REPOSITORY'])
    expect(repository.seen.calls).toMatchObject([{ user: 'READER', functionName: 'RFC_GET_FUNCTION_INTERFACE' }])
    expect(gateway.seen.calls).toMatchObject([{ user: 'DEVELOPER', functionName: 'STFC_CONNECTION' }])
  })

  it('are kept, and read again when jco.destination.repository.check_interval is over', async () => {
    const clock = createManualClock()
    const { client, gateway } = await connected({}, { clock, properties: { 'jco.destination.repository.check_interval': '5' } })
    const lookUps = (): number => gateway.seen.calls.filter(({ functionName }) => functionName === 'RFC_GET_FUNCTION_INTERFACE').length
    await client.call('STFC_CONNECTION', { REQUTEXT: 'x' })
    clock.advance(5 * 60_000 - 1)
    await client.call('STFC_CONNECTION', { REQUTEXT: 'x' })
    expect(lookUps()).toBe(1)
    clock.advance(1)
    await client.call('STFC_CONNECTION', { REQUTEXT: 'x' })
    expect(lookUps()).toBe(2)
  })

  it('of a destination that nobody finds are an error of the first call', async () => {
    const { client } = await connected({}, { properties: { 'jco.destination.repository_destination': 'MISSING' } })
    const error = await failureOf(client.call('STFC_CONNECTION', {}))
    expect(error.code).toBe('DESTINATION_INVALID')
    expect(error.message).toContain('MISSING')
  })

  it('tell parameters with their types, and exceptions', async () => {
    const { client } = await connected()
    expect(await client.describe('rfc_read_table')).toMatchObject({
      name: 'RFC_READ_TABLE',
      exceptions: ['TABLE_NOT_AVAILABLE'],
      parameters: expect.arrayContaining([
        { name: 'QUERY_TABLE', direction: 'importing', isOptional: false, type: { kind: 'char', length: 30 } },
        {
          name: 'DATA',
          direction: 'tables',
          isOptional: true,
          type: {
            kind: 'table',
            row: { kind: 'structure', bytes: 1024, fields: [{ name: 'WA', offset: 0, type: { kind: 'char', length: 512 } }] },
          },
        },
      ]),
    })
    const deep = await client.describe('STFC_DEEP_TABLE')
    expect(deep.parameters.find(({ name }) => name === 'IMPORT_TAB')?.type).toEqual({
      kind: 'table',
      row: {
        kind: 'components',
        components: [
          { name: 'C', type: { kind: 'char', length: 8 } },
          { name: 'I', type: { kind: 'int4' } },
          { name: 'STR', type: { kind: 'string' } },
          { name: 'XSTR', type: { kind: 'xstring' } },
        ],
      },
    })
  })
})
