import type { DeepValue } from '@sallyport/rfc-wire'
import { AbapFailure, type AbapFunction, textOf } from './abap-function.ts'
import type { Dictionary, DictionaryType } from './dictionary.ts'

const char = (length: number): DictionaryType => ({ kind: 'char', length })
const named = (name: string): DictionaryType => ({ kind: 'named', name })
const int4: DictionaryType = { kind: 'int4' }

/** What the functions of the fixture are declared with. */
export const standardDictionary: Dictionary = {
  RFCTEST: {
    fields: [
      { name: 'RFCFLOAT', type: { kind: 'float' } },
      { name: 'RFCCHAR1', type: char(1) },
      { name: 'RFCINT2', type: { kind: 'int2' } },
      { name: 'RFCINT1', type: { kind: 'int1' } },
      { name: 'RFCCHAR4', type: char(4) },
      { name: 'RFCINT4', type: int4 },
      { name: 'RFCHEX3', type: { kind: 'raw', length: 3 } },
      { name: 'RFCCHAR2', type: char(2) },
      { name: 'RFCTIME', type: { kind: 'time' } },
      { name: 'RFCDATE', type: { kind: 'date' } },
      { name: 'RFCDATA1', type: char(50) },
      { name: 'RFCDATA2', type: char(50) },
    ],
  },
  RFCSI: {
    fields: [
      { name: 'RFCPROTO', type: char(3) },
      { name: 'RFCCHARTYP', type: char(4) },
      { name: 'RFCHOST', type: char(8) },
      { name: 'RFCSYSID', type: char(8) },
    ],
  },
  TAB512: { fields: [{ name: 'WA', type: char(512) }] },
  RFC_DB_FLD: {
    fields: [
      { name: 'FIELDNAME', type: char(30) },
      { name: 'OFFSET', type: { kind: 'numc', length: 6 } },
      { name: 'LENGTH', type: { kind: 'numc', length: 6 } },
      { name: 'TYPE', type: char(1) },
      { name: 'FIELDTEXT', type: char(60) },
    ],
  },
  RFC_DB_OPT: { fields: [{ name: 'TEXT', type: char(72) }] },
  ZTAB_LINE: {
    fields: [
      { name: 'C', type: char(8) },
      { name: 'I', type: int4 },
      { name: 'STR', type: { kind: 'string' } },
      { name: 'XSTR', type: { kind: 'xstring' } },
    ],
  },
  ZTAB: { line: named('ZTAB_LINE') },
  BAPIRET2: {
    fields: [
      { name: 'TYPE', type: char(1) },
      { name: 'ID', type: char(20) },
      { name: 'NUMBER', type: { kind: 'numc', length: 3 } },
      { name: 'MESSAGE', type: char(220) },
    ],
  },
  ARFCSSTATE: { fields: [{ name: 'ARFCFNAM', type: char(30) }] },
}

/** Function modules that every system has, as far as clients of tests use them. */
export const standardFunctions: readonly AbapFunction[] = [
  { name: 'RFC_PING', parameters: [], run: () => ({}) },
  { name: 'RFCPING', parameters: [], run: () => ({}) },
  {
    name: 'STFC_CONNECTION',
    parameters: [
      { name: 'REQUTEXT', direction: 'import', type: char(255) },
      { name: 'ECHOTEXT', direction: 'export', type: char(255) },
      { name: 'RESPTEXT', direction: 'export', type: char(255) },
    ],
    run: ({ REQUTEXT = '' }, { user, client, language }) => ({
      ECHOTEXT: REQUTEXT,
      RESPTEXT: `SAP R/3 Rel. 754   Sysid: A4H   Client: ${client}   User: ${user}   Language: ${language}`,
    }),
  },
  {
    name: 'STFC_STRUCTURE',
    parameters: [
      { name: 'IMPORTSTRUCT', direction: 'import', type: named('RFCTEST') },
      { name: 'ECHOSTRUCT', direction: 'export', type: named('RFCTEST') },
      { name: 'RESPTEXT', direction: 'export', type: char(255) },
      { name: 'RFCTABLE', direction: 'tables', type: named('RFCTEST') },
    ],
    run({ IMPORTSTRUCT = {}, RFCTABLE = [] }) {
      const rows = RFCTABLE as readonly DeepValue[]
      return { ECHOSTRUCT: IMPORTSTRUCT, RESPTEXT: `${rows.length} rows`, RFCTABLE: [...rows, IMPORTSTRUCT] }
    },
  },
  {
    name: 'STFC_CHANGING',
    parameters: [
      { name: 'START_VALUE', direction: 'import', type: int4 },
      { name: 'COUNTER', direction: 'changing', type: int4 },
      { name: 'RESULT', direction: 'export', type: int4 },
    ],
    run: ({ START_VALUE = 0, COUNTER = 0 }) => ({ COUNTER: Number(COUNTER) + 1, RESULT: Number(START_VALUE) + Number(COUNTER) }),
  },
  {
    name: 'STFC_EXCEPTION',
    parameters: [],
    exceptions: ['EXAMPLE'],
    run() {
      throw new AbapFailure({ exceptionKey: 'EXAMPLE', messageNumber: '000' })
    },
  },
  {
    name: 'STFC_DEEP_TABLE',
    parameters: [
      { name: 'IMPORT_TAB', direction: 'import', type: named('ZTAB') },
      { name: 'EXPORT_TAB', direction: 'export', type: named('ZTAB') },
      { name: 'RESPTEXT', direction: 'export', type: char(255) },
    ],
    run({ IMPORT_TAB = [] }) {
      const rows = IMPORT_TAB as readonly DeepValue[]
      const last = { C: 'DEEPER', I: rows.length + 1, STR: 'deeper & <deeper>', XSTR: Buffer.from('00ff', 'hex') }
      return { EXPORT_TAB: [...rows, last], RESPTEXT: `${rows.length} rows` }
    },
  },
  {
    name: 'RFC_RAISE_ERROR',
    parameters: [
      { name: 'METHOD', direction: 'import', type: char(1), optional: true },
      { name: 'MESSAGETYPE', direction: 'import', type: char(1), optional: true },
    ],
    exceptions: ['RAISE_EXCEPTION'],
    /** A message of the given type; with METHOD 1 an exception, with METHOD 3 a division by zero. */
    run({ METHOD: method, MESSAGETYPE: type }) {
      if (method === '1') throw new AbapFailure({ exceptionKey: 'RAISE_EXCEPTION', messageNumber: '000' })
      if (method === '3') throw new AbapFailure({ errorText: 'Division by 0 (type I)', runtimeError: 'COMPUTE_INT_ZERODIVIDE' })
      throw new AbapFailure({
        messageText: 'Manual message for tests',
        messageClass: 'SR',
        messageType: textOf(type) || 'E',
        messageNumber: '006',
        messageVariable1: 'Method = 0',
      })
    },
  },
  {
    name: 'RFC_SYSTEM_INFO',
    parameters: [{ name: 'RFCSI_EXPORT', direction: 'export', type: named('RFCSI') }],
    run: () => ({ RFCSI_EXPORT: { RFCPROTO: '011', RFCCHARTYP: '4103', RFCHOST: 'fixture', RFCSYSID: 'A4H' } }),
  },
  {
    name: 'RFC_READ_TABLE',
    parameters: [
      { name: 'QUERY_TABLE', direction: 'import', type: char(30) },
      { name: 'DELIMITER', direction: 'import', type: char(1), optional: true },
      { name: 'ROWCOUNT', direction: 'import', type: int4, optional: true },
      { name: 'OPTIONS', direction: 'tables', type: named('RFC_DB_OPT'), optional: true },
      { name: 'FIELDS', direction: 'tables', type: named('RFC_DB_FLD'), optional: true },
      { name: 'DATA', direction: 'tables', type: named('TAB512'), optional: true },
    ],
    exceptions: ['TABLE_NOT_AVAILABLE'],
    run({ QUERY_TABLE: table, DELIMITER: delimiter, ROWCOUNT: count = 0 }) {
      if (table !== 'T000') throw new AbapFailure({ exceptionKey: 'TABLE_NOT_AVAILABLE', messageNumber: '000' })
      const rows = [
        ['000', 'SAP AG'],
        ['001', 'Customer'],
      ].map((row) => ({ WA: row.join(textOf(delimiter)) }))
      const fields = [
        { FIELDNAME: 'MANDT', OFFSET: '0', LENGTH: '3', TYPE: 'C', FIELDTEXT: 'Client' },
        { FIELDNAME: 'MTEXT', OFFSET: '4', LENGTH: '25', TYPE: 'C', FIELDTEXT: 'Client name' },
      ]
      return { DATA: Number(count) > 0 ? rows.slice(0, Number(count)) : rows, FIELDS: fields }
    },
  },
  {
    name: 'BAPI_TRANSACTION_COMMIT',
    parameters: [
      { name: 'WAIT', direction: 'import', type: char(1), optional: true },
      { name: 'RETURN', direction: 'export', type: named('BAPIRET2') },
    ],
    run: () => ({ RETURN: {} }),
  },
  {
    name: 'SYSTEM_RESET_RFC_SERVER',
    parameters: [],
    run(_inputs, session) {
      session.reset()
      return {}
    },
  },
  {
    name: 'ARFC_DEST_SHIP',
    parameters: [{ name: 'STATE', direction: 'tables', type: named('ARFCSSTATE') }],
    run: () => ({}),
  },
  {
    name: 'Z_COUNT',
    parameters: [{ name: 'COUNT', direction: 'export', type: int4 }],
    /** Counts its calls in this session. */
    run(_inputs, { memory }) {
      const count = Number(memory.get('Z_COUNT') ?? 0) + 1
      memory.set('Z_COUNT', count)
      return { COUNT: count }
    },
  },
  {
    name: 'Z_VOLUME',
    parameters: [
      { name: 'ROWS_BACK', direction: 'import', type: int4, optional: true },
      { name: 'ROWS_SEEN', direction: 'export', type: int4 },
      { name: 'ROWS', direction: 'tables', type: named('TAB512'), optional: true },
    ],
    /** Returns the rows it is given, or as many as it is asked for. */
    run({ ROWS_BACK: back = 0, ROWS = [] }) {
      const rows = ROWS as readonly DeepValue[]
      const made = Array.from({ length: Number(back) }, (_, at) => ({ WA: `row ${at}` }))
      return { ROWS_SEEN: rows.length, ROWS: Number(back) > 0 ? made : rows }
    },
  },
]
