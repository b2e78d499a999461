/** Makes the error for a property that is missing or malformed. */
export type InvalidProperty = (what: string) => Error

/** The flat record of a destination. */
export type Properties = Readonly<Record<string, string>>

/** Node's timers end here. */
export const maxMilliseconds = 2_147_483_647

/** `undefined` where the property is absent or empty. */
export function readBoolean(properties: Properties, name: string, invalid: InvalidProperty): boolean | undefined {
  const text = (properties[name] ?? '').toLowerCase()
  if (text === '') return undefined
  if (text !== 'true' && text !== 'false') throw invalid(`${name} is neither true nor false`)
  return text === 'true'
}

/** `undefined` where the property is absent or empty. */
export function readMilliseconds(properties: Properties, name: string, invalid: InvalidProperty): number | undefined {
  const text = properties[name] ?? ''
  if (text === '') return undefined
  if (!/^\d{1,10}$/.test(text) || Number(text) < 1 || Number(text) > maxMilliseconds) {
    throw invalid(`${name} is not a number of milliseconds from 1 to ${maxMilliseconds}`)
  }
  return Number(text)
}
