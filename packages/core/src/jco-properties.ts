/** Reads the properties of a JCo destination: text whose forms and bounds are stated where they are read. */
export interface JcoProperties {
  /** `undefined` for a property that is missing or empty. */
  text(name: string, form?: RegExp, what?: string): string | undefined
  /** One of the spellings, or the first of them. */
  oneOf<const T extends string>(name: string, values: readonly [T, ...T[]]): T
  /** `1` or `0`. */
  flag(name: string, missing: boolean): boolean
  /** A whole number within the bounds. */
  whole(name: string, missing: number, max: number, min?: number): number
  has(name: string): boolean
}

/** `invalid` makes the error for a property that is malformed. */
export function createJcoProperties(properties: Readonly<Record<string, string>>, invalid: (what: string) => Error): JcoProperties {
  const valueOf = (name: string): string | undefined => {
    const value = Object.hasOwn(properties, name) ? properties[name] : undefined
    return value === '' ? undefined : value
  }
  return {
    has: (name) => valueOf(name) !== undefined,
    text(name, form, what = 'in the form that it has to have') {
      const value = valueOf(name)
      if (value !== undefined && form !== undefined && !form.test(value)) throw invalid(`${name} is not ${what}`)
      return value
    },
    oneOf(name, values) {
      const value = valueOf(name)
      if (value === undefined) return values[0]
      const found = values.find((known) => known === value)
      if (found === undefined) throw invalid(`${name} is not one of ${values.join(', ')}`)
      return found
    },
    flag(name, missing) {
      const value = valueOf(name)
      if (value !== undefined && value !== '0' && value !== '1') throw invalid(`${name} is neither 0 nor 1`)
      return value === undefined ? missing : value === '1'
    },
    whole(name, missing, max, min = 0) {
      const value = valueOf(name)
      if (value === undefined) return missing
      if (!/^\d{1,10}$/.test(value) || Number(value) < min || Number(value) > max) {
        throw invalid(`${name} is not a whole number from ${min} to ${max}`)
      }
      return Number(value)
    },
  }
}
