import { type Credentials, createSecret, parseDestination, type RfcDestination, silentLogger, systemClock } from '@sallyport/core'

import { createAbapGateway } from '@sallyport/conformance/backends'
import { createSoapNode } from '@sallyport/test-fixtures'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createNodeRfcBinding, createRfcAdapter, type RfcClient, rfcErrorGroup, type RfcStructure } from '../src/index.ts'
import { createClassicClient, failureOf, loopbackDial } from './classic-system.ts'
import { createFakeNodeRfc } from './fake-node-rfc.ts'
import { connectSoap } from './soap-client.ts'

/** A client of one binding, at a system with the same function modules as the others. */
interface Subject extends AsyncDisposable {
  readonly client: RfcClient
}

async function overClassic(): Promise<Subject> {
  const gateway = await createAbapGateway()
  const { client } = await createClassicClient(gateway.address)
  return subject(client, gateway)
}

/** The library is a stand-in: it is led to the gateway as the real one is. */
async function overNodeRfc(): Promise<Subject> {
  const gateway = await createAbapGateway()
  const credentials: Credentials = { kind: 'basic', user: 'DEVELOPER', password: createSecret('secret') }
  const fake = createFakeNodeRfc()
  const destination = parseDestination({
    Name: 'ERP',
    Type: 'RFC',
    'jco.destination.proxy_type': 'OnPremise',
    'jco.client.client': '001',
    'jco.client.ashost': 'erp.example',
    'jco.client.sysnr': '42',
  }) as RfcDestination
  const bindings = [createNodeRfcBinding({ importModule: async () => ({ default: fake }) })]
  const context = { dial: loopbackDial(gateway.address), credentials, signal: AbortSignal.timeout(10_000), log: silentLogger }
  return subject(await createRfcAdapter({ clock: systemClock, bindings }).connect(destination, context), gateway)
}

async function overSoap(): Promise<Subject> {
  const node = await createSoapNode()
  return subject(await connectSoap(node.url), node)
}

function subject(client: RfcClient, system: AsyncDisposable): Subject {
  return {
    client,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]()
      await system[Symbol.asyncDispose]()
    },
  }
}

const structure = {
  F_CHAR: 'äö',
  F_NUMC: '00000042',
  F_DATS: '20260131',
  F_TIMS: '235959',
  F_INT1: 255,
  F_INT2: -32_768,
  F_INT4: 2_147_483_647,
  F_INT8: 7,
  F_FLOAT: -1.5,
  F_PACKED: '-12.50',
  F_RAW: Buffer.from('0102030405', 'hex'),
  POINT: { X: 1, Y: 0.25 },
}

/** What goes in and what comes out, alike for all. */
const calls: readonly (readonly [string, string, RfcStructure, RfcStructure])[] = [
  ['text', 'STFC_CONNECTION', { REQUTEXT: 'grüße & <more>' }, { ECHOTEXT: 'grüße & <more>' }],
  ['lower-case names', 'stfc_connection', { requtext: 'x' }, { ECHOTEXT: 'x' }],
  ['numbers that change', 'STFC_CHANGING', { START_VALUE: 3, COUNTER: 4 }, { COUNTER: 5, RESULT: 7 }],
  ['CHAR without blanks at its end', 'Z_TYPES', { IN_CHAR: 'a b  ' }, { OUT_CHAR: 'a b' }],
  ['NUMC with its zeros', 'Z_TYPES', { IN_NUMC: '42' }, { OUT_NUMC: '00000042' }],
  ['dates', 'Z_TYPES', { IN_DATS: '20260131' }, { OUT_DATS: '20260131' }],
  ['times', 'Z_TYPES', { IN_TIMS: '235959' }, { OUT_TIMS: '235959' }],
  ['INT1', 'Z_TYPES', { IN_INT1: 255 }, { OUT_INT1: 255 }],
  ['INT2', 'Z_TYPES', { IN_INT2: -32_768 }, { OUT_INT2: -32_768 }],
  ['INT4', 'Z_TYPES', { IN_INT4: -2_147_483_648 }, { OUT_INT4: -2_147_483_648 }],
  // Beyond that node-rfc rounds, and its binding refuses.
  ['INT8 as number', 'Z_TYPES', { IN_INT8: 9_007_199_254_740_991 }, { OUT_INT8: 9_007_199_254_740_991 }],
  ['FLOAT', 'Z_TYPES', { IN_FLOAT: -0.1 }, { OUT_FLOAT: -0.1 }],
  ['packed numbers with all decimals', 'Z_TYPES', { IN_PACKED: '-12.5' }, { OUT_PACKED: '-12.50' }],
  ['RAW', 'Z_TYPES', { IN_RAW: Buffer.from('00ff00ff00', 'hex') }, { OUT_RAW: Buffer.from('00ff00ff00', 'hex') }],
  ['STRING', 'Z_TYPES', { IN_STRING: 'a <b> & "c" €' }, { OUT_STRING: 'a <b> & "c" €' }],
  ['XSTRING', 'Z_TYPES', { IN_XSTRING: Buffer.from('00ff', 'hex') }, { OUT_XSTRING: Buffer.from('00ff', 'hex') }],
  ['structures', 'Z_TYPES', { IN_STRUCTURE: structure }, { OUT_STRUCTURE: structure }],
  [
    'structures with tables in them',
    'Z_TYPES',
    { IN_DEEP: { TITLE: 'a & b', POINTS: [{ X: 1, Y: -2.5 }], NAMES: ['one', 'two'], CENTRE: { X: 0, Y: 0 } } },
    { OUT_DEEP: { TITLE: 'a & b', POINTS: [{ X: 1, Y: -2.5 }], NAMES: ['one', 'two'], CENTRE: { X: 0, Y: 0 } } },
  ],
  ['tables', 'Z_VOLUME', { ROWS: [{ WA: 'one' }, { WA: 'two' }] }, { ROWS: [{ WA: 'one' }, { WA: 'two' }], ROWS_SEEN: 2 }],
  ['tables without rows', 'Z_VOLUME', { ROWS: [] }, { ROWS: [], ROWS_SEEN: 0 }],
]

describe.each([
  ['classic', overClassic],
  ['node-rfc', overNodeRfc],
  ['soap', overSoap],
] as const)('over %s', (name, start) => {
  let current: Subject
  beforeAll(async () => {
    current = await start()
  })
  afterAll(async () => {
    await current[Symbol.asyncDispose]()
  })

  it('is the binding that was chosen', () => {
    expect(current.client.info.binding).toBe(name)
  })

  it.each(calls)('PR-114 %s come out alike', async (_title, functionName, given, expected) => {
    const answer = await current.client.call(functionName, given)
    expect(Object.fromEntries(Object.keys(expected).map((each) => [each, answer[each]]))).toEqual(expected)
  })

  it.each([
    ['an exception', 'STFC_EXCEPTION', {}, 'ABAP_EXCEPTION', 'EXAMPLE'],
    ['a function that nobody has', 'Z_NOBODY', {}, 'FUNCTION_NOT_FOUND', undefined],
    ['a parameter that nobody has', 'STFC_CONNECTION', { OTHER: 1 }, 'CONVERSION', undefined],
    ['a value that does not fit', 'Z_TYPES', { IN_INT1: 256 }, 'CONVERSION', undefined],
  ] as const)('PR-114 %s is told alike', async (_title, functionName, given, group, key) => {
    const error = await failureOf(current.client.call(functionName, given))
    expect(rfcErrorGroup(error)).toBe(group)
    expect(key === undefined ? undefined : error.details['key']).toBe(key)
  })
})
