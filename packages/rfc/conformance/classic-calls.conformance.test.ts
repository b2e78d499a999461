import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  AbapFailure,
  type AbapFunction,
  type AbapGateway,
  type AbapGatewayOptions,
  createAbapGateway,
} from '@sallyport/conformance/backends'
import { afterEach, describe, expect, it } from 'vitest'
import { rfcErrorGroup, type RfcStructure, type RfcValue } from '../src/index.ts'
import { type ClassicClient, type ClassicClientOptions, createClassicClient, failureOf } from './classic-system.ts'

const open: AsyncDisposable[] = []
afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each[Symbol.asyncDispose]()
})

async function connected(
  gatewayOptions: AbapGatewayOptions = {},
  options: ClassicClientOptions = {},
): Promise<ClassicClient & { readonly gateway: AbapGateway }> {
  const gateway = await createAbapGateway(gatewayOptions)
  open.push(gateway)
  const classic = await createClassicClient(gateway.address, options)
  open.push(classic.client)
  return { ...classic, gateway }
}

describe('a call', () => {
  it('PR-085 of STFC_CONNECTION echoes; its request begins as specified, and its tail states the length of its chain', async () => {
    const { client, gateway } = await connected()
    const answer = await client.call('stfc_connection', { requtext: 'grüße' })
    expect(answer).toMatchObject({ ECHOTEXT: 'grüße' })
    expect(answer['RESPTEXT']).toContain('User: DEVELOPER')
    const request = gateway.seen.messages.at(-1)?.payload ?? Buffer.alloc(0)
    expect(request.subarray(80, 132).toString('hex')).toBe(
      '050200000502000b0006370035003400000b0102001e53005400460043005f0043004f004e004e0045004300540049004f004e00',
    )
    expect([request.readUInt16BE(26), request[30], request[31]]).toEqual([8, 0x05, 0x0c])
    expect([request.readUInt32BE(request.length - 8), request.readUInt32BE(request.length - 4)]).toEqual([request.length - 88, 0x8500])
    expect(request.subarray(-12, -8).toString('hex')).toBe('0000ffff')
  })

  it('PR-086 that raises an exception fails as ABAP_EXCEPTION with its key, and the connection serves the next call', async () => {
    const { client, gateway } = await connected()
    const error = await failureOf(client.call('STFC_EXCEPTION'))
    expect(rfcErrorGroup(error)).toBe('ABAP_EXCEPTION')
    expect(error.details).toMatchObject({ key: 'EXAMPLE', requestSent: true, messageNumber: '000' })
    await client.call('STFC_CONNECTION', { REQUTEXT: 'again' })
    expect(gateway.accepted).toBe(1)
  })

  it.each([
    [
      'a message',
      { METHOD: '0', MESSAGETYPE: 'E' },
      { messageClass: 'SR', messageType: 'E', messageNumber: '006', messageV1: 'Method = 0' },
    ],
    ['a short dump', { METHOD: '3' }, { key: 'COMPUTE_INT_ZERODIVIDE' }],
  ])('that ends with %s fails as SYSTEM_FAILURE, and the next one has a connection of its own', async (_title, parameters, details) => {
    const { client, gateway } = await connected()
    const error = await failureOf(client.call('RFC_RAISE_ERROR', parameters))
    expect(error.code).toBe('BACKEND_FAILED')
    expect(error.details).toMatchObject({ group: 'SYSTEM_FAILURE', ...details })
    await client.call('STFC_CONNECTION', { REQUTEXT: '' })
    expect(gateway.accepted).toBe(2)
  })

  it('that the user may not make is told apart from those that fail', async () => {
    const forbidden: AbapFunction = {
      name: 'Z_FORBIDDEN',
      parameters: [],
      run() {
        throw new AbapFailure({ errorText: 'No RFC authorization for function module Z_FORBIDDEN', runtimeError: 'RFC_NO_AUTHORITY' })
      },
    }
    const { client } = await connected({ functions: [forbidden] })
    const error = await failureOf(client.call('Z_FORBIDDEN'))
    expect([error.code, rfcErrorGroup(error), error.details['key']]).toEqual(['OPERATION_FORBIDDEN', 'SYSTEM_FAILURE', 'RFC_NO_AUTHORITY'])
  })

  it.each<[string, RfcStructure, RegExp]>([
    ['a parameter that it does not have', { OTHER: 1 }, /STFC_CONNECTION has no parameter OTHER$/],
    ['an output as input', { ECHOTEXT: 'x' }, /ECHOTEXT is an output/],
    ['text that is too long', { REQUTEXT: 'x'.repeat(256) }, /REQUTEXT is longer than 255 characters$/],
    ['a value of another kind', { REQUTEXT: 7 }, /REQUTEXT is not text$/],
  ])('with %s is not sent', async (_title, parameters, message) => {
    const { client, gateway } = await connected()
    const error = await failureOf(client.call('STFC_CONNECTION', parameters))
    expect([rfcErrorGroup(error), error.code, error.details['requestSent']]).toEqual(['CONVERSION', 'MESSAGE_INVALID', false])
    expect(error.message).toMatch(message)
    expect(gateway.seen.calls.some(({ functionName }) => functionName === 'STFC_CONNECTION')).toBe(false)
  })

  it('of a function that the system does not have fails as FUNCTION_NOT_FOUND', async () => {
    const { client } = await connected()
    const error = await failureOf(client.call('Z_NOBODY'))
    expect([rfcErrorGroup(error), error.code]).toEqual(['FUNCTION_NOT_FOUND', 'NOT_FOUND'])
    expect(error.message).toContain('Z_NOBODY')
  })

  it('asks for every output but those that nobody wants', async () => {
    const { client, gateway } = await connected()
    expect(Object.keys(await client.call('STFC_CONNECTION', { REQUTEXT: 'x' }, { notRequested: ['resptext'] }))).toEqual(['ECHOTEXT'])
    expect(gateway.seen.calls.at(-1)?.wantedOutputs).toEqual(['ECHOTEXT'])
  })

  it('does not ask for outputs of types that cannot be read, which would cost the others', async () => {
    const { client, gateway } = await connected()
    const answer = await client.call('Z_TYPES', { IN_INT4: 7 })
    expect(answer).toMatchObject({ OUT_INT4: 7, OUT_CHAR: '', OUT_DEEP: { POINTS: [] } })
    expect(gateway.seen.calls.at(-1)?.wantedOutputs).not.toContain('OUT_DECFLOAT16')
    expect(await client.describe('Z_TYPES')).toMatchObject({
      parameters: expect.arrayContaining([
        { name: 'OUT_DECFLOAT16', direction: 'exporting', isOptional: false, type: { kind: 'decfloat16' } },
      ]),
    })
  })

  it('changes parameters, and takes tables and gives them back', async () => {
    const { client } = await connected()
    expect(await client.call('STFC_CHANGING', { START_VALUE: 3, COUNTER: 4 })).toEqual({ COUNTER: 5, RESULT: 7 })
    const row = {
      RFCFLOAT: 1.5,
      RFCINT4: -7,
      RFCCHAR4: 'abc',
      RFCHEX3: Buffer.from('010203', 'hex'),
      RFCDATE: '20261122',
      RFCTIME: '235959',
    }
    const answer = await client.call('STFC_STRUCTURE', { IMPORTSTRUCT: row, RFCTABLE: [{ RFCINT1: 255 }, { RFCINT2: -32_768 }] })
    expect(answer['ECHOSTRUCT']).toMatchObject(row)
    expect(answer['RFCTABLE']).toMatchObject([{ RFCINT1: 255 }, { RFCINT2: -32_768 }, row])
    const deep = [{ C: 'x', I: 1, STR: 'long '.repeat(10_000), XSTR: Buffer.alloc(20_000, 7) }]
    const { EXPORT_TAB } = await client.call('STFC_DEEP_TABLE', { IMPORT_TAB: deep })
    expect(EXPORT_TAB).toEqual([...deep, { C: 'DEEPER', I: 2, STR: 'deeper & <deeper>', XSTR: Buffer.from('00ff', 'hex') }])
  })
})

describe('values', () => {
  const flat = {
    F_CHAR: 'äö',
    F_NUMC: '00000042',
    F_DATS: '99991231',
    F_TIMS: '235959',
    F_INT1: 255,
    F_INT2: -32_768,
    F_INT4: 2_147_483_647,
    F_INT8: -9_223_372_036_854_775_808n,
    F_FLOAT: -1.5e300,
    F_PACKED: '-9999999999999.99',
    F_RAW: Buffer.from('0102030405', 'hex'),
    POINT: { X: 1, Y: 0.25 },
  }

  it('PR-089 of every known type come back as they were sent, limits included', async () => {
    const { client } = await connected()
    const values: Readonly<Record<string, readonly RfcValue[]>> = {
      CHAR: ['', 'x', '0123456789', 'äöüß€'],
      NUMC: ['00000000', '12345678'],
      DATS: ['20260131', '00000000', '99991231'],
      TIMS: ['000000', '235959'],
      INT1: [0, 255],
      INT2: [-32_768, 32_767],
      INT4: [-2_147_483_648, 2_147_483_647],
      INT8: [0, Number.MAX_SAFE_INTEGER, -9_223_372_036_854_775_808n, 9_223_372_036_854_775_807n],
      FLOAT: [0, Number.MIN_VALUE, Number.MAX_VALUE, -0.1],
      PACKED: ['0.00', '9999999999999.99', '-9999999999999.99', '-0.01'],
      RAW: [Buffer.from('00ff00ff00', 'hex')],
      STRING: ['', 'text & <more>\n"€"', 'x'.repeat(100_000)],
      XSTRING: [Buffer.alloc(0), Buffer.from('00ff', 'hex')],
      STRUCTURE: [flat],
      DEEP: [{ TITLE: 'a & b', POINTS: [{ X: 1, Y: -2.5 }], NAMES: ['one', 'two'], CENTRE: { X: 0, Y: 0 } }],
    }
    for (const [name, list] of Object.entries(values)) {
      for (const value of list) {
        const answer = await client.call('Z_TYPES', { [`IN_${name}`]: value })
        expect(answer[`OUT_${name}`], name).toEqual(value)
      }
    }
  })

  it('PR-089 of DECFLOAT are refused before anything of the call is sent', async () => {
    const { client, gateway } = await connected()
    const error = await failureOf(client.call('Z_TYPES', { IN_DECFLOAT16: '1.5' }))
    expect([rfcErrorGroup(error), error.details['requestSent']]).toEqual(['CONVERSION', false])
    expect(gateway.seen.calls.some(({ functionName }) => functionName === 'Z_TYPES')).toBe(false)
  })

  it.each<[string, RfcStructure, RfcStructure]>([
    ['packed numbers as numbers', { IN_PACKED: 12.5 }, { OUT_PACKED: '12.50' }],
    ['numeric text that is short', { IN_NUMC: '42' }, { OUT_NUMC: '00000042' }],
    ['RAW that is short', { IN_RAW: Buffer.from([1]) }, { OUT_RAW: Buffer.from('0100000000', 'hex') }],
    ['lower-case components', { IN_STRUCTURE: { f_int4: 7 } }, { OUT_STRUCTURE: { F_INT4: 7 } }],
  ])('may be given as %s', async (_title, given, expected) => {
    const { client } = await connected()
    expect(await client.call('Z_TYPES', given)).toMatchObject(expected)
  })

  it.each<[string, RfcStructure]>([
    ['an integer that is out of range', { IN_INT1: 256 }],
    ['a fraction as integer', { IN_INT4: 1.5 }],
    ['a number without end', { IN_FLOAT: Number.NaN }],
    ['too many decimals', { IN_PACKED: '0.001' }],
    ['a component that the structure does not have', { IN_STRUCTURE: { NOBODY: 1 } }],
    ['a structure as list', { IN_STRUCTURE: [] }],
    ['a date with dashes', { IN_DATS: '2026-01-31' }],
    ['text as bytes', { IN_XSTRING: 'abc' }],
    ['a truth value as text', { IN_STRING: true }],
  ])('are refused as %s', async (_title, given) => {
    const { client } = await connected()
    expect(rfcErrorGroup(await failureOf(client.call('Z_TYPES', given)))).toBe('CONVERSION')
  })
})

describe('replies', () => {
  it.each<[string, AbapGatewayOptions]>([
    ['in pieces of one byte', { chunkBytes: 1 }],
    ['in pieces of seven bytes', { chunkBytes: 7 }],
    ['in pieces of 1000 bytes', { chunkBytes: 1000 }],
  ])('PR-076 %s are put together', async (_title, options) => {
    const { client } = await connected(options)
    const { ROWS } = await client.call('Z_VOLUME', { ROWS_BACK: 12 })
    expect(ROWS).toEqual(Array.from({ length: 12 }, (_, at) => ({ WA: `row ${at}` })))
  })

  it('PR-087 in several records, with shortened rows and unknown fields are read', async () => {
    const rows = Array.from({ length: 40 }, (_, at) => ({ NAME: `row ${at}`, TAIL: Buffer.alloc(200, at) }))
    const lengths: number[] = []
    const tail: AbapFunction = {
      name: 'Z_TAIL',
      parameters: [{ name: 'ROWS', direction: 'tables', type: { kind: 'named', name: 'ZTAIL' } }],
      run: () => ({ ROWS: rows }),
    }
    const fields = [
      { name: 'NAME', type: { kind: 'char', length: 10 } },
      { name: 'TAIL', type: { kind: 'raw', length: 200 } },
    ] as const
    const { client, gateway } = await connected({
      shortenRows: true,
      unknownFields: true,
      functions: [tail],
      dictionary: { ZTAIL: { fields } },
      script({ functionName, payloads }) {
        if (functionName === 'Z_TAIL') lengths.push(...payloads.map((payload) => payload.length))
        return undefined
      },
    })
    expect(await client.call('Z_TAIL')).toEqual({ ROWS: rows })
    // Whole rows would be 220 bytes each.
    expect(lengths.reduce((sum, each) => sum + each, 0)).toBeLessThan(40 * 60)
    const { ROWS } = await client.call('Z_VOLUME', { ROWS_BACK: 300 })
    expect(ROWS).toEqual(Array.from({ length: 300 }, (_, at) => ({ WA: `row ${at}` })))
    expect(gateway.seen.violations).toEqual([])
  })

  it('PR-077 with pings among their records are read, and the pings are answered', async () => {
    // The gateway goes on only when each of its pings was answered.
    const { client } = await connected({ pingWithinReplies: true })
    const { ROWS } = await client.call('Z_VOLUME', { ROWS_BACK: 300 })
    expect(ROWS).toHaveLength(300)
  })

  it('of ten megabytes are read', async () => {
    const { client } = await connected()
    const { ROWS } = await client.call('Z_VOLUME', { ROWS_BACK: 10_000 })
    expect(ROWS).toHaveLength(10_000)
  })
})

describe('requests', () => {
  it('PR-088 of 100 KiB are sent in slices of 28000 bytes and answered', async () => {
    const { client, gateway } = await connected()
    const rows = Array.from({ length: 100 }, (_, at) => ({ WA: `row ${at}`.padEnd(500, '.') }))
    await client.describe('Z_VOLUME')
    const before = gateway.seen.messages.length
    expect(await client.call('Z_VOLUME', { ROWS: rows }, { notRequested: ['ROWS'] })).toEqual({ ROWS_SEEN: 100 })
    const sent = gateway.seen.messages.slice(before).map(({ payload }) => [payload[1], payload.length - 80])
    expect(sent).toEqual([
      [0x08, 28_000],
      [0x08, 28_000],
      [0x08, 28_000],
      [0x08, expect.any(Number)],
      [0x09, 0],
    ])
  })

  it('of megabytes wait for the system after every 21 slices', async () => {
    const { client, gateway } = await connected()
    const rows = Array.from({ length: 2000 }, (_, at) => ({ WA: `row ${at}` }))
    await client.describe('Z_VOLUME')
    const before = gateway.seen.messages.length
    const answer = await client.call('Z_VOLUME', { ROWS: rows })
    expect(answer['ROWS']).toEqual(rows)
    const functions = gateway.seen.messages.slice(before).map(({ payload }) => payload[1])
    expect(functions.map((each, at) => (each === 0x07 ? at : -1)).filter((at) => at >= 0)).toEqual([21, 43, 65])
  })
})

/** Only with it is memory what is held, and not what has been. */
setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** What the fixture has seen is not the client's. */
async function heldBytesWithout({ seen }: AbapGateway): Promise<number> {
  for (const list of [seen.calls, seen.messages]) (list as unknown[]).length = 0
  let least = Number.POSITIVE_INFINITY
  // Buffers that a collection finds are given back a little later, at times one round later.
  for (let round = 0; round < 4; round += 1) {
    collectGarbage()
    await new Promise(setImmediate)
    const { arrayBuffers, heapUsed } = process.memoryUsage()
    least = Math.min(least, arrayBuffers + heapUsed)
  }
  return least
}

describe('memory', () => {
  it('does not grow with the calls of a session', async () => {
    const { client, gateway } = await connected()
    await client.withSession(async (session) => {
      const call = async (count: number): Promise<number> => {
        for (let done = 0; done < count; done += 1) await session.call('STFC_CONNECTION', { REQUTEXT: 'x'.repeat(255) })
        return heldBytesWithout(gateway)
      }
      const before = await call(500)
      expect((await call(3000)) - before).toBeLessThan(2 * 1024 * 1024)
    })
  })

  it('is given back after requests and replies of megabytes', async () => {
    const { client, gateway } = await connected()
    const turn = async (): Promise<number> => {
      const { ROWS } = await client.call('Z_VOLUME', { ROWS_BACK: 4000 })
      await client.call('Z_VOLUME', { ROWS: ROWS ?? [] }, { notRequested: ['ROWS'] })
      return heldBytesWithout(gateway)
    }
    await turn()
    const before = await turn()
    for (let again = 0; again < 3; again += 1) await turn()
    // One turn moves more than that, and five were made.
    expect((await turn()) - before).toBeLessThan(6 * 1024 * 1024)
  })
})
