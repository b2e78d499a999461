/** Why bytes are not accepted. Names the record, the field and the rule, never the bytes: they may hold passwords or personal data. */
export interface Refused {
  readonly refused: string
}

/** Makes the answer of a parser that does not accept what it was given. */
export function refuse(reason: string): Refused {
  return { refused: reason }
}

/** Whether a parser refused; otherwise the result is what it has read. */
export function isRefused(result: unknown): result is Refused {
  return typeof result === 'object' && result !== null && 'refused' in result
}
