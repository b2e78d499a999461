/** Stored material as JSON; `undefined` for what is none, which no schema takes: so one check tells of both. */
export function parseMaterial(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
