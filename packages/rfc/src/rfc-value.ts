/**
 * A value of a parameter, alike in every binding (protocols.md 10.3): numbers for integers and FLOAT, `bigint` for INT8 outside the safe range, text for CHAR (without
 * trailing blanks), NUMC, STRING, UTCLONG, dates (`YYYYMMDD`), times (`HHMMSS`), packed and decimal floating numbers, `Buffer` for RAW and XSTRING, objects with
 * upper-case names for structures, lists for tables. A table whose rows have one field without a name is a list of values.
 */
export type RfcValue = string | number | bigint | boolean | Buffer | readonly RfcValue[] | RfcStructure

/** Components of a structure, or parameters of a function module, by upper-case name. */
export interface RfcStructure {
  readonly [name: string]: RfcValue | undefined
}

/**
 * Writes the names of parameters, and of components in them, in upper case, as the dictionary has them. `undefined` is as if the name were not there.
 *
 * @throws TypeError naming two names that become the same.
 */
export function upperCaseNames(structure: RfcStructure): RfcStructure {
  const entries = new Map<string, RfcValue>()
  for (const [name, value] of Object.entries(structure)) {
    if (value === undefined) continue
    const upper = name.toUpperCase()
    if (entries.has(upper)) throw new TypeError(`${upper} is given twice`)
    entries.set(upper, upperCaseValue(value))
  }
  return Object.fromEntries(entries)
}

function upperCaseValue(value: RfcValue): RfcValue {
  if (typeof value !== 'object' || Buffer.isBuffer(value)) return value
  return Array.isArray(value) ? value.map((row: RfcValue) => upperCaseValue(row)) : upperCaseNames(value as RfcStructure)
}
