import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type CallOutcome, createRfcCaller, rfcLogon, type RfcCaller } from '@sallyport/conformance/cases'
import {
  appcFunctions,
  type AppcRecord,
  clientAppcRecord,
  clientGatewayConnect,
  cpicTags,
  deallocateRecord,
  formatAppcRecord,
  formatCallRequest,
  formatChain,
  formatGatewayConnect,
  formatLogonRequest,
  gatewayRequestTypes,
  isRefused,
  niPing,
  parseAppcRecord,
  parseChain,
  parseGatewayConnect,
  parseInitializeInfo,
  parseInitializeParameters,
  parsePartnerParameters,
  formatClientInfo,
  requestRecords,
  shippingFunctions,
} from '@sallyport/rfc-wire'
import { afterEach, describe, expect, it } from 'vitest'
import { type ConnectorBench, startConnectorBench, until } from './connector-bench.ts'
import {
  gatewayConversation,
  type GatewayScript,
  replyPayloads,
  type ScriptedGateway,
  startScriptedGateway,
  success,
} from './scripted-gateway.ts'

type Fields = Readonly<Record<string, unknown>>

let bench: ConnectorBench
let gateway: ScriptedGateway
const callers: AsyncDisposable[] = []
afterEach(async () => {
  for (const caller of callers.splice(0)) await caller[Symbol.asyncDispose]()
  await bench?.[Symbol.asyncDispose]()
  await gateway?.[Symbol.asyncDispose]()
})

const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le')
const mapping = (fields: Fields = {}): Fields => ({
  virtual: 'erp.demo:sapgw00',
  internal: `rfc://localhost:${gateway.port}`,
  systemNumber: '42',
  backendType: 'abapSys',
  ...fields,
})
const connector = (fields: Fields = {}): Fields => ({ mappings: [mapping(fields)], audit: { level: 'ALL' } })

async function start(fields: Fields = {}, script: GatewayScript = {}): Promise<void> {
  gateway = await startScriptedGateway(script)
  bench = await startConnectorBench({ connector: connector(fields), wantsEvents: true })
}

async function open(): Promise<RfcCaller> {
  const { answer, stream } = await bench.tcp({ host: 'erp.demo', port: 3300 })
  expect(answer).toEqual({ kind: 'connected' })
  callers.push({
    async [Symbol.asyncDispose]() {
      stream.destroy()
    },
  })
  return createRfcCaller(stream)
}

async function loggedOn(logon: Partial<typeof rfcLogon> = {}): Promise<RfcCaller> {
  const caller = await open()
  expect(await caller.logOn(logon)).toMatchObject({ kind: 'success' })
  return caller
}

const denied = (text: string | RegExp): CallOutcome => ({
  kind: 'error',
  ended: true,
  error: { errorText: typeof text === 'string' ? text : expect.stringMatching(text) },
})
const functionDenied = (name: string): CallOutcome =>
  denied(
    `Access denied for ${name} on erp.demo:sapgw00. Expose the function module in your Cloud Connector in case it was a valid request.`,
  )

/** What the backend has got of calls, and how it was left. */
const requests = (): readonly Buffer[] => gateway.visits[0]?.requests ?? []
const lastMessages = (): readonly number[] => (gateway.visits[0]?.messages ?? []).slice(1).map((message) => message[1] ?? 0)
const auditText = (): string => bench.audit.map(({ message, user }) => `${message} by ${user}`).join('\n')
const everything = (): string => JSON.stringify([bench.audit, bench.events, bench.logged])

describe('a conversation', () => {
  it('is relayed from its set-up to its end', async () => {
    await start({ functions: [{ name: 'STFC_CONNECTION' }] })
    const caller = await loggedOn()
    expect(await caller.call('STFC_CONNECTION', [{ kind: 'value', name: 'REQUTEXT', value: utf16('hello') }])).toMatchObject({
      kind: 'success',
    })
    expect(await caller.call('RFC_PING')).toMatchObject({ kind: 'success' })
    caller.record(deallocateRecord(caller.conversation))
    await until(() => lastMessages().at(-1) === appcFunctions.deallocate)
    expect(requests()).toHaveLength(3)
    expect(bench.connector.backends[0]?.mappings[0]).toMatchObject({ active: 1, protocol: 'RFC', internal: `localhost:${gateway.port}` })
    expect(bench.connector.backends[0]?.mappings[0]?.buckets.reduce((sum, count) => sum + count, 0)).toBe(3)
  })

  it('PR-091 is not begun without a mapping of protocol RFC: nothing is dialled, the denial is audited', async () => {
    await start()
    const { answer } = await bench.tcp({ host: 'erp.demo', port: 3301 })
    expect(answer).toMatchObject({ kind: 'refused', code: 'ACCESS_DENIED' })
    expect(gateway.visits).toEqual([])
    expect(auditText()).toBe('Access denied to system erp.demo:3301: no mapping for this virtual host and port by ')
  })

  it('PR-098 leads to internal names at the gateway, and the client sees those it had asked for', async () => {
    await start()
    const caller = await open()
    await caller.connect()
    const reply = await caller.initialize('erp.demo.with.a.long.name')
    await caller.allocate('erp.demo.with.a.long.name')
    await until(() => gateway.visits[0]?.messages.length === 4)
    const [connect, initialize, partner] = gateway.visits[0]?.messages ?? []
    expect(parseGatewayConnect(connect!)).toMatchObject({ logicalUnit: 'sallypor', ipv4: Buffer.alloc(4) })
    const record = parseAppcRecord(initialize!)
    if ('refused' in record) throw new Error(record.refused)
    expect(parseInitializeInfo(record.operationInfo)).toMatchObject({ logicalUnit: 'localhos', transactionProgram: 'sapdp42' })
    expect(parseInitializeParameters(record.body)).toMatchObject({ logicalUnit: 'localhost', transactionProgram: 'sapdp42' })
    expect(parsePartnerParameters(partner!.subarray(80))).toMatchObject({ logicalUnit: 'localhost' })
    expect(Buffer.concat([initialize!, partner!]).toString('latin1')).not.toMatch(/erp\.demo|sapdp00/)
    // The gateway has repeated the internal names.
    expect(parseInitializeInfo(reply.operationInfo)).toMatchObject({ logicalUnit: 'erp.demo', transactionProgram: 'sapdp00' })
  })

  it('PR-077 has its keep-alive answered on both sides, also in the middle of a reply, and none is passed on', async () => {
    await start(
      { functions: [{ name: 'Z' }] },
      {
        reply: (_chain, visit) => {
          visit.say(niPing)
          return replyPayloads(
            formatChain(
              [
                { tag: cpicTags.reply, value: Buffer.alloc(0) },
                { tag: cpicTags.errorText, value: Buffer.alloc(60_000, 65) },
              ],
              { logon: false },
            ),
          )
        },
      },
    )
    const caller = await open()
    caller.say(niPing)
    expect(await caller.next()).toEqual({ kind: 'pong' })
    expect(await caller.logOn()).toMatchObject({ kind: 'success' })
    expect(await caller.call('Z')).toMatchObject({ kind: 'error' })
    await until(() => gateway.visits[0]?.pongs === 1)
  })

  it('carries large requests in slices, with their acknowledgements, and large replies', async () => {
    await start(
      { functions: [{ name: 'Z' }] },
      {
        answer: (chain) =>
          formatChain(
            [
              { tag: cpicTags.reply, value: Buffer.alloc(0) },
              { tag: cpicTags.errorText, value: chain.subarray(0, chain.length & ~1) },
            ],
            { logon: false },
          ),
      },
    )
    const caller = await loggedOn()
    const chain = formatCallRequest({
      release: '754',
      functionName: 'Z',
      wantedOutputs: [],
      inputs: [{ kind: 'value', name: 'P', value: Buffer.alloc(1_500_000, 66) }],
    })
    expect(await caller.ask(chain)).toMatchObject({ kind: 'error' })
    expect(requests()[1]?.equals(chain)).toBe(true)
    expect(await caller.call('RFC_PING')).toMatchObject({ kind: 'error' })
  })

  it('is decided anew after a changed configuration: a removed function is denied, another backend is not reached', async () => {
    await start({ functions: [{ name: 'Z' }] })
    const caller = await loggedOn()
    expect(await caller.call('Z')).toMatchObject({ kind: 'success' })
    await bench.configure(connector())
    expect(await caller.call('Z')).toEqual(functionDenied('Z'))
    await bench.configure(connector({ functions: [{ name: 'Z' }] }))
    const other = await loggedOn()
    await bench.configure(connector({ functions: [{ name: 'Z' }], internal: 'rfc://localhost:1' }))
    expect(await other.call('Z')).toEqual(denied(/exposed in another way/))
    expect(gateway.visits[1]?.requests).toHaveLength(1)
  })

  it('goes on when the backend takes its time, and ends with it', async () => {
    await start()
    const caller = await loggedOn()
    gateway.visits[0]?.destroy()
    expect(await caller.next()).toBeUndefined()
    await until(() => bench.openStreams === 0)
  })
})

describe('functions', () => {
  it('CC-067 PR-093 are allowed by their exact name or by a prefix', async () => {
    await start({ functions: [{ name: 'Z_EXACT' }, { name: 'BAPI_USER_', prefix: true }] })
    for (const name of ['Z_EXACT', 'BAPI_USER_', 'BAPI_USER_GETLIST']) {
      const caller = await loggedOn()
      expect(await caller.call(name), name).toMatchObject({ kind: 'success' })
    }
    for (const name of ['Z_EXACT1', 'Z_EXAC', 'z_exact', 'BAPI_USER', 'BAPI_USEr_X', 'XBAPI_USER_']) {
      const caller = await loggedOn()
      expect(await caller.call(name), name).toEqual(functionDenied(name))
    }
    expect(gateway.visits.filter((visit) => visit.requests.length === 2)).toHaveLength(3)
  })

  it('PR-094 that are suspended count as absent, and without any only infrastructure passes', async () => {
    await start({
      functions: [
        { name: 'Z', enabled: false },
        { name: 'Y_', prefix: true, enabled: false },
      ],
    })
    for (const name of ['Z', 'Y_X', 'RFC_SYSTEM_INFO', 'STFC_CONNECTION']) {
      const caller = await loggedOn()
      expect(await caller.call(name), name).toEqual(functionDenied(name))
    }
  })

  it('CC-068 that clients call by themselves pass without being allowed', async () => {
    await start()
    const caller = await loggedOn()
    const names = ['RFCPING', 'RFC_PING', 'SYSTEM_RESET_RFC_SERVER', 'RFC_GET_FUNCTION_INTERFACE', 'RFC_GET_STRUCTURE_DEFINITION']
    for (const name of [...names, 'DDIF_FIELDINFO_GET', 'RFC_METADATA_GET', 'RFC_METADATA_GET_TIMESTAMP', 'RFC_SET_REG_SERVER_PROPERTY'])
      expect(await caller.call(name), name).toMatchObject({ kind: 'success' })
  })

  it('PR-099 that ship calls of others need a resource of their own', async () => {
    await start({ functions: ['ARFC_', 'API_', 'BGRFC_', 'B'].map((name) => ({ name, prefix: true })) })
    for (const name of shippingFunctions) {
      const caller = await loggedOn()
      expect(await caller.call(name), name).toEqual(functionDenied(name))
    }
    await bench.configure(connector({ functions: [...shippingFunctions].map((name) => ({ name })) }))
    for (const name of shippingFunctions) {
      const caller = await loggedOn()
      expect(await caller.call(name), name).toMatchObject({ kind: 'success' })
    }
  })

  it('PR-095 that are denied reach the backend with no byte; the client reads why, and the conversation is over', async () => {
    await start()
    const caller = await loggedOn()
    const before = gateway.visits[0]?.messages.length ?? 0
    expect(await caller.call('Z_SECRET', [{ kind: 'value', name: 'P', value: utf16('parameter-value') }])).toEqual(
      functionDenied('Z_SECRET'),
    )
    expect(await caller.next()).toBeUndefined()
    await until(() => gateway.visits[0]?.closed === true)
    expect(gateway.visits[0]?.messages.slice(before)).toEqual([formatAppcRecord(deallocateRecord(gatewayConversation))])
    await until(() => bench.openStreams === 0)
  })

  it('PR-095 a large denied call does not reach the backend with its first slice', async () => {
    await start()
    const caller = await loggedOn()
    const inputs = [{ kind: 'value', name: 'P', value: Buffer.alloc(100_000) }] as const
    expect(await caller.call('Z_SECRET', inputs)).toEqual(functionDenied('Z_SECRET'))
    expect(requests()).toHaveLength(1)
    expect(lastMessages().filter((name) => name === appcFunctions.asyncSendData)).toEqual([])
  })

  it('are audited with client and user, and what was allowed at level ALL', async () => {
    await start({ functions: [{ name: 'Z_OK' }] })
    const caller = await loggedOn()
    await caller.call('Z_OK')
    await caller.call('Z_NOT')
    expect(auditText().split('\n')).toEqual([
      'Access allowed to system erp.demo:3300 by ',
      'Access allowed to function RFCPING on system erp.demo:sapgw00 (client 100) by JANE',
      'Access allowed to function Z_OK on system erp.demo:sapgw00 (client 100) by JANE',
      'Access denied to function Z_NOT on system erp.demo:sapgw00 (client 100): no enabled function of the mapping admits it by JANE',
    ])
    const decisions = bench.events.filter((event) => event.type === 'access-decided')
    expect(decisions.at(-1)).toMatchObject({ allowed: false, path: 'Z_NOT', admitted: ['Z_OK (exact)'] })
    expect(decisions.at(-2)).toMatchObject({ allowed: true, path: 'Z_OK', resource: 'Z_OK', exactMatchOnly: true })
  })

  it('PR-103 leave neither parameters nor passwords in logs, events and the audit log', async () => {
    await start({ functions: [{ name: 'Z_OK' }] })
    const caller = await loggedOn({ password: 'Scr4mbled-Pw' })
    const inputs = [{ kind: 'value', name: 'P_NAME', value: utf16('parameter-value') }] as const
    await caller.call('Z_OK', inputs)
    await caller.call('Z_NOT', inputs)
    const other = await loggedOn()
    other.say(Buffer.concat([formatAppcRecord(clientAppcRecord({ function: appcFunctions.sapSend })), utf16('garbage-value')]))
    await until(() => gateway.visits[1]?.closed === true)
    expect(everything()).toContain('Z_NOT')
    expect(everything()).not.toMatch(/parameter-value|P_NAME|Scr4mbled|garbage|top-Secret/)
    expect(everything()).not.toContain(utf16('parameter-value').toString('base64').slice(0, 20))
  })

  it('are denied while the audit log cannot be written', async () => {
    await start({ functions: [{ name: 'Z' }] })
    const caller = await loggedOn()
    bench.auditSink.failing = true
    expect(await caller.call('Z')).toEqual(denied(/audit log .* cannot be written/))
    expect(requests()).toHaveLength(1)
  })
})

describe('logons', () => {
  it.each([
    ['CC-071 of every client', {}, { client: '999' }],
    ['of an allowed client', { allowedClients: ['100', '200'] }, { client: '200' }],
    ['of a user who is blocked in another client', { blockedUsers: [{ client: '200', user: 'JANE' }] }, {}],
  ])('%s pass', async (_title, fields, logon) => {
    await start(fields)
    expect(await (await open()).logOn(logon)).toMatchObject({ kind: 'success' })
    expect(requests()).toHaveLength(1)
  })

  it.each([
    ['CC-069 PR-097 of a client that is not among the allowed ones', { allowedClients: ['100', '200'] }, { client: '300' }],
    [
      'CC-070 PR-097 of a blocked user, although the client is allowed',
      { allowedClients: ['100'], blockedUsers: [{ client: '100', user: 'jane' }] },
      {},
    ],
    ['PR-097 of a blocked user in lower case', { blockedUsers: [{ client: '100', user: 'JANE' }] }, { user: 'jane' }],
  ])('%s are refused', async (_title, fields, logon) => {
    await start(fields)
    const caller = await open()
    const text = /^Access denied for client \d00 on erp\.demo:sapgw00\. Allow the client and the user in your Cloud Connector/
    expect(await caller.logOn(logon)).toEqual(denied(text))
    expect(requests()).toEqual([])
    expect(auditText()).toMatch(
      /Access denied to function RFCPING on system erp\.demo:sapgw00 \(client \d00\): the (user is blocked|client is not allowed) by/,
    )
  })

  it('without a user are refused where users are blocked', async () => {
    await start({ blockedUsers: [{ client: '100', user: 'SAP*' }] })
    const caller = await prepared()
    expect(await caller.ask(logonWith((fields) => fields.filter(({ tag }) => tag !== cpicTags.user)))).toEqual(
      denied(/^Access denied for client 100/),
    )
    expect(requests()).toEqual([])
  })

  it('with a tail that states another length pass with the one they have, which calls do not', async () => {
    await start()
    const caller = await prepared()
    const misstated = (chain: Buffer): AppcRecord => {
      const [step] = requestRecords(chain, caller.conversation)
      const body = Buffer.from(step!.record.body)
      body.writeUInt32BE(248, body.length - 8)
      return { ...step!.record, body }
    }
    const logon = formatLogonRequest(rfcLogon)
    caller.record(misstated(logon))
    expect(await caller.nextRecord()).toMatchObject({ appcReturnCode: 0 })
    expect(requests()[0]?.equals(logon)).toBe(true)
    caller.record(misstated(callNamed(utf16('RFC_PING'))))
    expect(await caller.nextRecord()).toMatchObject({ appcReturnCode: 18 })
    expect(requests()).toHaveLength(1)
  })

  it.each([
    ['two users', (fields: ChainFields) => [...fields, { tag: cpicTags.user, value: Buffer.from('OTHER') }]],
    [
      'another user in a copy of the field',
      (fields: ChainFields) => [fields[0]!, { tag: cpicTags.userCopy2, value: Buffer.from('OTHER') }, ...fields.slice(1)],
    ],
    [
      'a function that is not allowed',
      (fields: ChainFields) =>
        fields.map((field) => (field.tag === cpicTags.functionName ? { ...field, value: Buffer.from('Z_SECRET') } : field)),
    ],
  ])('with %s are refused', async (_title, change) => {
    await start()
    const caller = await prepared()
    expect(await caller.ask(logonWith(change))).toMatchObject({ kind: 'error', ended: true })
    expect(requests()).toEqual([])
  })
})

describe('what is not a conversation in the clear', () => {
  const connect = clientGatewayConnect({ program: 'node', hostName: 'laptop' })

  it('PR-101 SNC and routes are refused, and no byte of them reaches the backend', async () => {
    await start()
    const snc = Buffer.concat([Buffer.from('SNCFRAME'), Buffer.from('0106001800000000000000000001000000', 'hex')])
    const route = Buffer.from('NI_ROUTE\0\x02\x28\x02\0\0\0\x01', 'latin1')
    for (const [at, first] of [snc, route].entries()) {
      const caller = await open()
      caller.say(first)
      expect(await caller.next()).toBeUndefined()
      await until(() => gateway.visits[at]?.closed === true)
      const later = await open()
      await later.connect()
      later.say(first)
      expect(await later.next()).toBeUndefined()
    }
    expect(gateway.visits.map((visit) => visit.messages.length).toSorted((a, b) => a - b)).toEqual([0, 0, 1, 1])
    expect(auditText()).toMatch(/SNC is not for a mapping of protocol RFC by/)
    expect(auditText()).toMatch(/routes are chosen by the connector/)
  })

  it.each(Object.entries(gatewayRequestTypes).filter(([name]) => name !== 'normalClient'))(
    'PR-092 a connection to %s is refused',
    async (_name, requestType) => {
      await start()
      const caller = await open()
      caller.say(formatGatewayConnect({ ...connect, requestType }))
      expect(await caller.next()).toBeUndefined()
      await until(() => gateway.visits[0]?.closed === true)
      expect(gateway.visits[0]?.messages).toEqual([])
    },
  )

  const others = Array.from({ length: 256 }, (_, name) => name).filter((name) => ![0x07, 0x08, 0x0b, 0x1b, 0xcb, 0xce, 0xd5].includes(name))
  it('PR-092 functions outside the list are refused without contacting the backend further', async () => {
    await start()
    for (const [at, name] of others.entries()) {
      const caller = await loggedOn()
      const before = gateway.visits[at]?.messages.length
      const operationInfo = formatClientInfo({
        dataBytes: 0,
        communicationIndex: 0xffff,
        connectionIndex: caller.conversation.connectionIndex,
      })
      caller.record(clientAppcRecord({ function: name, conversationId: caller.conversation.conversationId, operationInfo }))
      expect(await caller.next(), String(name)).toMatchObject({ kind: 'message' })
      expect(await caller.next()).toBeUndefined()
      await until(() => gateway.visits[at]?.closed === true)
      expect(gateway.visits[at]?.messages.slice(before).map((message) => message[1])).toEqual([appcFunctions.deallocate])
    }
  }, 30_000)

  it('PR-100 a callback from the backend is refused by default, and passes where the mapping lets it', async () => {
    const callback = formatCallRequest({ release: '754', functionName: 'CALL_ME', wantedOutputs: [], inputs: [] })
    const isCall = (chain: Buffer): boolean => chain.readUInt16BE() === cpicTags.call
    const reply = (chain: Buffer): readonly Buffer[] => replyPayloads(isCall(chain) ? callback : success)
    await start({ functions: [{ name: 'Z' }] }, { reply })
    const caller = await loggedOn()
    expect(await caller.call('Z')).toEqual(denied(/the backend calls a function of the application/))
    await until(() => gateway.visits[0]?.closed === true)
    await bench.configure(connector({ functions: [{ name: 'Z' }], allowCallbacks: true }))
    const other = await loggedOn()
    expect(await other.call('Z')).toMatchObject({ kind: 'callback' })
    expect(await other.ask(success)).toMatchObject({ kind: 'success' })
    expect(requests().length + (gateway.visits[1]?.requests.length ?? 0)).toBe(5)
  })

  it.each<[string, (caller: RfcCaller) => Buffer]>([
    ['a second logon', () => formatLogonRequest(rfcLogon)],
    ['a call that names a user', () => callWith([{ tag: cpicTags.user, value: utf16('OTHER') }])],
    ['PR-096 two names', () => callWith([{ tag: cpicTags.functionName, value: utf16('RFC_PING') }])],
    [
      'PR-096 two names, the second behind the parameters',
      () =>
        callWith([
          { tag: cpicTags.parameters, value: Buffer.alloc(0) },
          { tag: cpicTags.functionName, value: utf16('Z') },
        ]),
    ],
    ['PR-096 a name in UTF-16BE', () => callNamed(Buffer.from('\0R\0F\0C\0_\0P\0I\0N\0G', 'latin1'))],
    ['PR-096 a name in single bytes', () => callNamed(Buffer.from('RFC_PING'))],
    [
      'a field that is closed by another tag',
      () => Buffer.concat([callNamed(utf16('RFC_PING')).subarray(0, -6), Buffer.from('0103ffff0000ffff', 'hex')]),
    ],
    ['a request that begins like a reply', () => success],
  ])('%s is refused', async (_title, make) => {
    await start({ functions: [{ name: 'Z' }] })
    const caller = await loggedOn()
    expect(await caller.ask(make(caller))).toEqual(denied(/^Access denied to system erp\.demo:3300: /))
    expect(requests()).toHaveLength(1)
    expect(auditText()).toMatch(/Access denied to system erp\.demo:sapgw00 \(client 100\): request: .* by JANE$/)
  })

  it('PR-096 a name split over two records is refused', async () => {
    await start({ functions: [{ name: 'Z' }] })
    const chain = callNamed(utf16('RFC_PING'))
    for (const length of [4, 20, 26, 30, 40]) {
      const caller = await loggedOn()
      for (const [at, body] of [chain.subarray(0, length), chain.subarray(length)].entries()) caller.record(slice(caller, body, at))
      expect(await caller.next(), String(length)).toMatchObject({ kind: 'message' })
      expect(await caller.next()).toBeUndefined()
    }
    await until(() => gateway.visits.every((visit) => visit.closed))
    for (const visit of gateway.visits) expect(visit.messages.some((message) => message[1] === appcFunctions.asyncSendData)).toBe(false)
  })

  it.each<[string, Buffer]>([
    [
      'a second name',
      formatChain(
        [
          { tag: cpicTags.call, value: Buffer.alloc(0) },
          { tag: cpicTags.functionName, value: utf16('Z') },
          { tag: cpicTags.parameters, value: Buffer.alloc(0) },
          { tag: cpicTags.parameterName, value: Buffer.alloc(40_000) },
          { tag: cpicTags.functionName, value: utf16('Z_SECRET') },
        ],
        { logon: false },
      ),
    ],
    [
      'another user',
      formatChain(
        [
          { tag: cpicTags.call, value: Buffer.alloc(0) },
          { tag: cpicTags.functionName, value: utf16('Z') },
          { tag: cpicTags.parameters, value: Buffer.alloc(0) },
          { tag: cpicTags.parameterName, value: Buffer.alloc(40_000) },
          { tag: cpicTags.user, value: utf16('OTHER') },
        ],
        { logon: false },
      ),
    ],
  ])('PR-096 %s in a later slice is refused before the request can end', async (_title, chain) => {
    await start({ functions: [{ name: 'Z' }] })
    const caller = await loggedOn()
    expect(await caller.ask(chain)).toEqual(denied(/request: (two functions|logs on)/))
    await until(() => gateway.visits[0]?.closed === true)
    expect(requests()).toHaveLength(1)
  })

  it.each<[string, Partial<AppcRecord>, RegExp]>([
    ['the text of an error', { errorBytes: 10 }, /with the text of an error/],
    ['an error in its flags', { info: 0x15 }, /with the text of an error/],
    ['another mode', { mode: 1 }, /of mode 1/],
    ['SNC', { info2: 0x08 }, /protected by SNC/],
    ['an address', { info: 0x07 }, /with an address/],
    ['no parameters', { info: 0x01 }, /otherwise about its parameters/],
    ['more to come', { vector: 0x08 }, /otherwise about its end/],
  ])('a request whose header says that it has %s is refused: a gateway could find another request in it', async (_title, flags, reason) => {
    await start({ functions: [{ name: 'Z' }] })
    const caller = await loggedOn()
    const [step] = requestRecords(callNamed(utf16('Z')), caller.conversation)
    caller.record({ ...step!.record, ...flags })
    expect(await caller.nextRecord()).toMatchObject({ appcReturnCode: 18 })
    expect(requests()).toHaveLength(1)
    expect(auditText()).toMatch(reason)
  })

  it.each([{ vector: 0x04 }, { info: 0x04 }])('a slice that says %o, as only a whole request does, is refused', async (flags) => {
    await start({ functions: [{ name: 'Z' }] })
    const chain = formatCallRequest({
      release: '754',
      functionName: 'Z',
      wantedOutputs: [],
      inputs: [{ kind: 'value', name: 'P', value: Buffer.alloc(60_000) }],
    })
    for (const which of [0, 1]) {
      const caller = await loggedOn()
      for (const [at, { record }] of [...requestRecords(chain, caller.conversation)].slice(0, 2).entries())
        caller.record(at === which ? { ...record, ...flags } : record)
      expect(await caller.nextRecord()).toMatchObject({ appcReturnCode: 18 })
    }
    expect(gateway.visits.map((visit) => visit.requests.length)).toEqual([1, 1])
  })

  it.each([{ codePage: '0500' }, { appcVersion: 5 }])('a connection with %o is refused', async (fields) => {
    await start()
    const caller = await open()
    caller.say(formatGatewayConnect({ ...connect, ...fields }))
    expect(await caller.next()).toBeUndefined()
    await until(() => gateway.visits[0]?.closed === true)
    expect(gateway.visits[0]?.messages).toEqual([])
  })

  it('a client that speaks out of its turn is refused', async () => {
    await start({ functions: [{ name: 'Z' }] }, { silent: true })
    const caller = await open()
    caller.say(formatGatewayConnect(connect))
    caller.say(formatGatewayConnect(connect))
    expect(await caller.next()).toBeUndefined()
    await until(() => gateway.visits[0]?.closed === true)
    expect(gateway.visits[0]?.messages.length ?? 0).toBeLessThanOrEqual(1)
  })

  it('a record of another conversation is refused', async () => {
    await start({ functions: [{ name: 'Z' }] })
    const caller = await loggedOn()
    const [step] = requestRecords(callNamed(utf16('Z')), { ...caller.conversation, conversationId: '99999999' })
    caller.record(step!.record)
    expect(await caller.nextRecord()).toMatchObject({ appcReturnCode: 18 })
    expect(requests()).toHaveLength(1)
  })

  it('a record that names another connection names the assigned one when it passes', async () => {
    await start({ functions: [{ name: 'Z' }] })
    const caller = await loggedOn()
    const [step] = requestRecords(callNamed(utf16('Z')), { ...caller.conversation, connectionIndex: 9 })
    caller.record(step!.record)
    expect(await caller.nextRecord()).toMatchObject({ appcReturnCode: 0 })
    expect(gateway.visits[0]?.messages.at(-1)?.readUInt16BE(78)).toBe(gatewayConversation.connectionIndex)
  })

  it('a frame longer than any record is refused by its length', async () => {
    await start()
    const caller = await loggedOn()
    caller.raw(Buffer.from([0, 0x10, 0, 1]))
    expect(await caller.nextRecord()).toMatchObject({ appcReturnCode: 18 })
    expect(await caller.next()).toBeUndefined()
  })
})

describe('throughput', () => {
  it('PR-104 10,000 calls of 1 KiB over one conversation pass without growth of memory', async () => {
    await start({ functions: [{ name: 'Z_CALL' }] })
    const caller = await loggedOn()
    const chain = formatCallRequest({
      release: '754',
      functionName: 'Z_CALL',
      wantedOutputs: [],
      inputs: [{ kind: 'value', name: 'P', value: Buffer.alloc(1024, 1) }],
    })
    const call = async (count: number): Promise<void> => {
      for (let done = 0; done < count; done++) {
        await caller.ask(chain)
        // What the test's own gateway, audit and events keep is not the relay's.
        for (const kept of [requests(), gateway.visits[0]?.messages ?? [], bench.audit, bench.events]) (kept as unknown[]).length = 1
      }
    }
    const held = (): number => {
      collectGarbage()
      const { arrayBuffers, heapUsed } = process.memoryUsage()
      return arrayBuffers + heapUsed
    }
    await call(1000)
    const before = held()
    await call(9000)
    // What is free is given back over some turns.
    await expect.poll(() => held() - before, { timeout: 20_000, interval: 200 }).toBeLessThan(4 * 1024 * 1024)
  }, 60_000)
})

/** Only with it is memory what is held, and not what has been. */
setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

type ChainFields = readonly { readonly tag: number; readonly value: Buffer }[]

async function prepared(): Promise<RfcCaller> {
  const caller = await open()
  await caller.connect()
  await caller.initialize()
  await caller.allocate()
  return caller
}

function logonWith(change: (fields: ChainFields) => ChainFields): Buffer {
  const chain = parseChain(formatLogonRequest(rfcLogon))
  if (isRefused(chain)) throw new Error(chain.refused)
  return formatChain(change(chain.fields), { logon: true })
}

function callNamed(name: Buffer): Buffer {
  return formatChain(
    [
      { tag: cpicTags.call, value: Buffer.alloc(0) },
      { tag: cpicTags.functionName, value: name },
      { tag: cpicTags.parameters, value: Buffer.alloc(0) },
    ],
    { logon: false },
  )
}

function callWith(more: ChainFields): Buffer {
  return formatChain([{ tag: cpicTags.call, value: Buffer.alloc(0) }, { tag: cpicTags.functionName, value: utf16('RFC_PING') }, ...more], {
    logon: false,
  })
}

function slice(caller: RfcCaller, body: Buffer, at: number): ReturnType<typeof clientAppcRecord> {
  const { connectionIndex, conversationId } = caller.conversation
  const operationInfo = formatClientInfo({ dataBytes: body.length, communicationIndex: 0xffff, connectionIndex })
  return clientAppcRecord({ function: appcFunctions.asyncSendData, sequenceNumber: at, conversationId, operationInfo, body })
}
