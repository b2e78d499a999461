import { createRfcCaller, type RfcCaller } from '@sallyport/conformance/cases'
import { type AbapGateway, createAbapGateway } from '@sallyport/conformance/backends'
import { createMessageServer, createSapRouter, type MessageServer, type SapRouter, type SapRouterOptions } from '@sallyport/test-fixtures'
import { afterEach, describe, expect, it } from 'vitest'
import { type ConnectorBench, startConnectorBench, until } from './connector-bench.ts'

type Fields = Readonly<Record<string, unknown>>

const open: AsyncDisposable[] = []
let bench: ConnectorBench
afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each[Symbol.asyncDispose]()
})
function kept<T extends AsyncDisposable>(disposable: T): T {
  open.push(disposable)
  return disposable
}

const passwordOfRouter = 'pw-of-the-router'
const logon = { client: '001', user: 'DEVELOPER', password: 'secret' }

async function start(mapping: Fields, options: { readonly files?: Readonly<Record<string, string>> } = {}): Promise<void> {
  const written = { virtual: 'erp.demo:sapgw00', backendType: 'abapSys', functions: [{ name: 'STFC_CONNECTION' }], ...mapping }
  bench = kept(await startConnectorBench({ connector: { mappings: [written] }, ...options }))
}
const dial = (): ReturnType<ConnectorBench['tcp']> => bench.tcp({ host: 'erp.demo', port: 3300 })
async function call(): Promise<RfcCaller> {
  const { answer, stream } = await dial()
  expect(answer).toEqual({ kind: 'connected' })
  kept({ [Symbol.asyncDispose]: async () => void stream.destroy() })
  const caller = createRfcCaller(stream)
  expect(await caller.logOn(logon)).toMatchObject({ kind: 'success' })
  expect(await caller.call('RFC_PING')).toMatchObject({ kind: 'success' })
  return caller
}
const refusalText = async (): Promise<string> => {
  const { answer } = await dial()
  expect(answer).toMatchObject({ kind: 'refused', code: 'BACKEND_UNREACHABLE' })
  return (answer as { readonly message: string }).message
}

const gateways = async (count: number): Promise<readonly AbapGateway[]> =>
  Promise.all(Array.from({ length: count }, async () => kept(await createAbapGateway())))
const router = async (options: SapRouterOptions): Promise<SapRouter> => kept(await createSapRouter(options))
const messageServer = async (options: Parameters<typeof createMessageServer>[0]): Promise<MessageServer> =>
  kept(await createMessageServer(options))
const dispatcherOf = ({ address }: AbapGateway): { readonly host: string; readonly dispatcherPort: number } => ({
  host: 'localhost',
  dispatcherPort: address.port - 100,
})

describe('a message server', () => {
  it('is asked by the connector for the server of the group, and the conversation goes to its gateway', async () => {
    const [first, second] = await gateways(2)
    const server = await messageServer({ groups: { SALES: [dispatcherOf(first!), dispatcherOf(second!)] } })
    await start({ internal: `rfc://127.0.0.1:${server.address.port}`, logonGroup: 'SALES' })
    await call()
    await call()
    expect(server.lookups).toEqual(['SALES', 'SALES'])
    expect([first!.seen.calls.length, second!.seen.calls.length]).toEqual([1, 1])
    expect(first!.seen.initializations).toMatchObject([{ logicalUnit: 'localhost', transactionProgram: 'sapdp00' }])
    await until(() => server.logouts === 2)
  })

  it('is named by sapmsSID, whose port stands below services, and asked for PUBLIC', async () => {
    const [gateway] = await gateways(1)
    const server = await messageServer({ groups: { PUBLIC: [dispatcherOf(gateway!)] } })
    const mapping = { virtual: 'erp.demo:sapmsABC', internal: 'rfc://127.0.0.1:sapmsXYZ', systemNumber: '07', backendType: 'abapSys' }
    bench = kept(
      await startConnectorBench({
        connector: {
          services: { sapmsABC: 3300, sapmsXYZ: server.address.port },
          mappings: [{ ...mapping, functions: [{ name: 'STFC_CONNECTION' }] }],
        },
      }),
    )
    await call()
    expect(server.lookups).toEqual(['PUBLIC'])
    expect(gateway!.seen.initializations).toMatchObject([{ transactionProgram: 'sapdp07' }])
  })

  it.each([
    ['does not know the group', { groups: {} }, /the message server does not know the logon group "SALES"/],
    [
      'refuses the login',
      { groups: {}, loginError: 13 },
      /the message server is not understood \(message server: login answered with error 13\)/,
    ],
    ['closes', { groups: {}, groupAnswer: 'close' as const }, /the message server has closed the connection without an answer/],
    ['answers with something else', { groups: {}, groupAnswer: Buffer.from('hello') }, /the message server is not understood/],
  ])('that %s is a backend that cannot be reached', async (_title, options, expected) => {
    const server = await messageServer(options)
    await start({ internal: `rfc://127.0.0.1:${server.address.port}`, logonGroup: 'SALES' })
    expect(await refusalText()).toMatch(expected)
    await server.idle()
  })

  it('that says nothing is left when the time for connecting is over', async () => {
    const server = await messageServer({ groups: {}, groupAnswer: 'silence' })
    await start({ internal: `rfc://127.0.0.1:${server.address.port}`, logonGroup: 'SALES' })
    const { answer } = await bench.tcp({ host: 'erp.demo', port: 3300, timeoutMs: 300 })
    expect(answer).toMatchObject({ kind: 'refused', code: 'BACKEND_UNREACHABLE' })
    await server.idle()
  })

  it('is left when the caller goes away', async () => {
    const server = await messageServer({ groups: {}, groupAnswer: 'silence' })
    await start({ internal: `rfc://127.0.0.1:${server.address.port}`, logonGroup: 'SALES' })
    const pending = dial()
    await until(() => server.lookups.length === 1)
    await bench.connector.stop({ graceMs: 0 })
    await server.idle()
    expect(bench.openStreams).toBe(0)
    void pending
  })
})

describe('SAProuters', () => {
  it('PR-102 are asked for the route at the start of every connection, that to the message server included', async () => {
    const [gateway] = await gateways(1)
    const server = await messageServer({ groups: { PUBLIC: [dispatcherOf(gateway!)] } })
    const second = await router({
      route: (host, service) => ({ host: host === 'localhost' ? '127.0.0.1' : host, port: Number(service) }),
      password: passwordOfRouter,
    })
    const first = await router({ route: () => second.address })
    const route = `/H/127.0.0.1/S/${first.address.port}/H/second.internal/S/3299/W/${passwordOfRouter}`
    await start(
      { internal: `rfc://127.0.0.1:${server.address.port}`, logonGroup: 'PUBLIC', sapRouter: { file: 'route' } },
      { files: { route: `${route}\n` } },
    )
    await call()
    const targets = first.requests.map(({ hops, passedHops, talkMode }) => [hops.at(-1), passedHops, talkMode])
    expect(targets).toEqual([
      [{ host: '127.0.0.1', service: String(server.address.port), password: '' }, 1, 0],
      [{ host: 'localhost', service: String(gateway!.address.port), password: '' }, 1, 0],
    ])
    expect(second.requests.map(({ passedHops }) => passedHops)).toEqual([2, 2])
    expect(gateway!.seen.calls).toHaveLength(1)
    expect(JSON.stringify([bench.audit, bench.events, bench.logged, bench.connector.status])).not.toContain(passwordOfRouter)
  })

  it.each([
    ['permission', -94, /the SAProuter on the way refuses the route \(NIEROUT_PERM_DENIED\)/],
    ['host', -90, /the SAProuter on the way refuses the route \(NIEROUT_HOST_UNKNOWN\)/],
  ])('that have no %s for the target are backends that cannot be reached', async (_title, code, expected) => {
    const first = await router({ route: () => code })
    await start({ internal: 'rfc://secret-host.internal:sapgw00', sapRouter: `/H/127.0.0.1/S/${first.address.port}` })
    expect(await refusalText()).toMatch(expected)
    expect(await refusalText()).not.toContain('secret-host')
    await first.idle()
  })

  it('that say nothing are left when the time for connecting is over', async () => {
    const first = await router({ route: () => -90, silent: true })
    await start({ internal: 'rfc://erp.internal:sapgw00', sapRouter: `/H/127.0.0.1/S/${first.address.port}` })
    const { answer } = await bench.tcp({ host: 'erp.demo', port: 3300, timeoutMs: 300 })
    expect(answer).toMatchObject({ kind: 'refused', code: 'BACKEND_UNREACHABLE' })
    expect(first.requests).toHaveLength(1)
  })

  it('whose file cannot be read keep the configuration from being taken over', async () => {
    await start({ internal: 'rfc://erp.internal:sapgw00' })
    const mapping = {
      virtual: 'erp.demo:sapgw00',
      internal: 'rfc://erp.internal:sapgw00',
      backendType: 'abapSys',
      sapRouter: { file: 'route' },
    }
    await expect(bench.configure({ mappings: [mapping] })).rejects.toThrow(/mappings\[0\]\.sapRouter/)
    await expect(bench.configure({ mappings: [mapping] }, { route: '/H/router/S/nowhere/W/top-secret' })).rejects.toThrow(
      /mappings\[0\]\.sapRouter: route string: a service is neither a port nor sapdpNN nor sapgwNN/,
    )
    expect(bench.connector.status.configuration.problem).not.toContain('top-secret')
  })
})

describe('mappings of protocol RFCS', () => {
  const fields = (port: number): Fields => ({
    virtual: 'erp.demo:sapgw00s',
    internal: `rfcs://127.0.0.1:${port}`,
    systemNumber: '00',
    sncPartnerName: 'p:CN=ERP',
    functions: [],
  })
  const snc = Buffer.concat([Buffer.from('SNCFRAME'), Buffer.from('010600180000000000000000000100000000', 'hex')])

  it('CC-103 refuse every connection while SNC is not configured: nothing goes in the clear, nothing is dialled', async () => {
    const [gateway] = await gateways(1)
    await start(fields(gateway!.address.port))
    const { answer } = await bench.tcp({ host: 'erp.demo', port: 4800 })
    expect(answer).toMatchObject({ kind: 'refused', code: 'ACCESS_DENIED' })
    expect(gateway!.accepted).toBe(0)
    expect(bench.audit.at(-1)?.message).toContain('the connector does not speak SNC itself')
  })

  it('refuse every connection where principals are to be propagated, and say what that would need', async () => {
    const [gateway] = await gateways(1)
    await start({ ...fields(gateway!.address.port), principalType: 'X509_GENERAL' })
    const { answer } = await bench.tcp({ host: 'erp.demo', port: 4800 })
    expect(answer).toMatchObject({ kind: 'refused', code: 'ACCESS_DENIED' })
    expect(gateway!.accepted).toBe(0)
    expect(bench.audit.at(-1)?.message).toContain('SAP Cryptographic Library')
  })

  it('CC-103 let SNC pass where they are told to, and nothing in the clear in either direction', async () => {
    const [gateway] = await gateways(1)
    await start({ ...fields(gateway!.address.port), passUnread: true })
    const { answer, stream } = await bench.tcp({ host: 'erp.demo', port: 4800 })
    expect(answer).toEqual({ kind: 'connected' })
    const caller = createRfcCaller(stream)
    caller.say(snc)
    await until(() => gateway!.seen.messages.length === 1)
    expect(gateway!.seen.messages[0]?.payload).toEqual(snc)
    expect(await caller.next()).toBeUndefined()
    const plain = await bench.tcp({ host: 'erp.demo', port: 4800 })
    const other = createRfcCaller(plain.stream)
    await other.connect().catch(() => {})
    expect(other.ended).toBe(true)
    expect(gateway!.seen.connects).toEqual([])
    expect(bench.audit.at(-1)?.message).toContain('a message in the clear on a mapping of protocol RFCS')
  })
})
