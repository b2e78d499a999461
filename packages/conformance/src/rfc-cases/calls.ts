import { expect } from '../expect.ts'
import { callForValues, encodeInputs } from './parameters.ts'
import { kindOf, openLoggedOn, playSystem, type RfcCase } from './rfc-case.ts'

export type CallCase =
  | 'carries every kind of value there and back'
  | 'carries rows of tables there and back'
  | 'carries tables within structures there and back'
  | 'carries values that change'
  | 'tells of an exception, and the conversation goes on'
  | 'tells of a function that the system does not have'
  | 'takes answers that leave out what repeats, and fields that nobody knows'

const flat = {
  F_CHAR: 'äö',
  F_NUMC: '00000042',
  F_DATS: '20260131',
  F_TIMS: '235959',
  F_INT1: 255,
  F_INT2: -32_768,
  F_INT4: 2_147_483_647,
  F_INT8: 7n,
  F_FLOAT: -1.5,
  F_PACKED: '-12.50',
  F_RAW: Buffer.from('0102030405', 'hex'),
  POINT: { X: 1, Y: 0.25 },
}

/** By the end of the names of their parameters. */
const values = {
  CHAR: 'a b',
  NUMC: '00000042',
  DATS: '20260131',
  TIMS: '235959',
  INT1: 255,
  INT2: -32_768,
  INT4: -2_147_483_648,
  INT8: -9_223_372_036_854_775_808n,
  FLOAT: -0.1,
  PACKED: '-12.50',
  RAW: Buffer.from('00ff00ff00', 'hex'),
  STRING: 'a <b> & "c" €',
  XSTRING: Buffer.from('00ff', 'hex'),
  STRUCTURE: flat,
  DEEP: { TITLE: 'a & b', POINTS: [{ X: 1, Y: -2.5 }], NAMES: ['one', 'two'], CENTRE: { X: 0, Y: 0 } },
}

const named = (prefix: string): Readonly<Record<string, (typeof values)[keyof typeof values]>> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}_${name}`, value]))

/** What a call says and is answered. */
export const callCases: Readonly<Record<CallCase, RfcCase>> = {
  'carries every kind of value there and back': {
    async run(context) {
      const { address, visits } = await playSystem(context)
      const { caller } = await openLoggedOn(context, address)
      const outputs = named('OUT')
      const answer = await callForValues(caller, 'Z_TYPES', named('IN'), Object.keys(outputs))
      for (const [name, value] of Object.entries(outputs)) expect(comparable(answer[name]), name).toEqual(comparable(value))
      expect(visits[0]?.calls[0]?.inputs.length, 'parameters that arrived').toBe(Object.keys(values).length)
    },
  },
  'carries rows of tables there and back': {
    async run(context) {
      const { address } = await playSystem(context)
      const { caller } = await openLoggedOn(context, address)
      for (const ROWS of [[], [{ WA: 'one' }, { WA: '' }, { WA: 'x'.repeat(512) }]]) {
        const answer = await callForValues(caller, 'Z_VOLUME', { ROWS }, ['ROWS', 'ROWS_SEEN'])
        expect(answer, `${ROWS.length} rows`).toEqual({ ROWS, ROWS_SEEN: ROWS.length })
      }
    },
  },
  'carries tables within structures there and back': {
    async run(context) {
      const { address } = await playSystem(context)
      const { caller } = await openLoggedOn(context, address)
      const row = { C: 'SHORT', I: 7, STR: 'long & <longer>', XSTR: Buffer.from('0a0b', 'hex') }
      const { EXPORT_TAB, RESPTEXT } = await callForValues(caller, 'STFC_DEEP_TABLE', { IMPORT_TAB: [row] }, ['EXPORT_TAB', 'RESPTEXT'])
      expect(RESPTEXT, 'what the function says').toBe('1 rows')
      expect(comparable((EXPORT_TAB as readonly unknown[])[0]), 'the row').toEqual(comparable(row))
    },
  },
  'carries values that change': {
    async run(context) {
      const { address } = await playSystem(context)
      const { caller } = await openLoggedOn(context, address)
      const answer = await callForValues(caller, 'STFC_CHANGING', { START_VALUE: 3, COUNTER: 4 }, ['COUNTER', 'RESULT'])
      expect(answer).toEqual({ COUNTER: 5, RESULT: 7 })
    },
  },
  'tells of an exception, and the conversation goes on': {
    async run(context) {
      const { address, visits } = await playSystem(context)
      const { caller } = await openLoggedOn(context, address)
      const outcome = await caller.call('STFC_EXCEPTION')
      expect(outcome.kind === 'error' ? [outcome.error.exceptionKey, outcome.ended] : outcome.kind, 'the answer').toEqual([
        'EXAMPLE',
        false,
      ])
      const { ECHOTEXT } = await callForValues(caller, 'STFC_CONNECTION', { REQUTEXT: 'grüße' }, ['ECHOTEXT'])
      expect(ECHOTEXT, 'the answer to the next call').toBe('grüße')
      expect(visits.length, 'connections').toBe(1)
    },
  },
  'tells of a function that the system does not have': {
    async run(context) {
      const { address } = await playSystem(context)
      const { caller } = await openLoggedOn(context, address)
      expect(kindOf(await caller.call('Z_NOBODY_HAS_IT')), 'the answer').toBe('error: Function module "Z_NOBODY_HAS_IT" not found.')
      expect(await caller.next(), 'what follows').toBe(undefined)
    },
  },
  'takes answers that leave out what repeats, and fields that nobody knows': {
    async run(context) {
      const { address } = await playSystem(context, { shortenRows: true, unknownFields: true })
      const { caller } = await openLoggedOn(context, address)
      const outcome = await caller.call('Z_VOLUME', encodeInputs('Z_VOLUME', { ROWS_BACK: 3 }), ['ROWS'])
      const [rows] = outcome.kind === 'success' ? outcome.outputs : []
      expect(rows?.kind === 'table' ? rows.rows.length : kindOf(outcome), 'rows').toBe(3)
    },
  },
}

/** Buffers and values of other prototypes by what they say. */
function comparable(value: unknown): unknown {
  return JSON.stringify(value, (_key, each: unknown) => (typeof each === 'bigint' ? String(each) : each))
}
