import type { CpicField } from './cpic-chain.ts'
import { cpicTags } from './cpic-tags.ts'
import { readTrimmedText, type WireEncoding } from './wire-text.ts'

/** What went wrong in a function module or a logon, as the server tells it. Parts that were not sent are missing. */
export interface RfcErrorEnvelope {
  /** Key of the exception that the function module raised. */
  readonly exceptionKey?: string
  readonly errorText?: string
  readonly runtimeError?: string
  readonly messageText?: string
  readonly messageClass?: string
  readonly messageType?: string
  readonly messageNumber?: string
  readonly messageVariable1?: string
  readonly messageVariable2?: string
  readonly messageVariable3?: string
  readonly messageVariable4?: string
}

const parts = [
  'exceptionKey',
  'errorText',
  'runtimeError',
  'messageText',
  'messageClass',
  'messageType',
  'messageNumber',
  'messageVariable1',
  'messageVariable2',
  'messageVariable3',
  'messageVariable4',
] as const satisfies readonly (keyof RfcErrorEnvelope)[]

const partOfTag: ReadonlyMap<number, keyof RfcErrorEnvelope> = new Map(parts.map((part) => [cpicTags[part], part]))

/**
 * Collects the error of a chain: protocols.md 11.8. `undefined` if there is none. Bytes that are no text in the encoding become question marks: that a call failed
 * is not lost over how it is told. Control characters become blanks.
 */
export function readErrorEnvelope(fields: readonly CpicField[], encoding: WireEncoding): RfcErrorEnvelope | undefined {
  const envelope: Partial<Record<keyof RfcErrorEnvelope, string>> = {}
  for (const { tag, value } of fields) {
    const part = partOfTag.get(tag)
    if (part === undefined) continue
    const text = readTrimmedText(value, encoding) ?? value.toString('latin1').replaceAll(/[^\x20-\x7e]/g, '?')
    envelope[part] = text.replaceAll(/\p{Cc}/gu, ' ')
  }
  return Object.keys(envelope).length === 0 ? undefined : envelope
}

/**
 * Renders an error as fields, for peers that play server.
 *
 * @throws TypeError for text that the encoding lacks.
 */
export function formatErrorEnvelope(envelope: RfcErrorEnvelope, format: (text: string) => Buffer): readonly CpicField[] {
  // As captured: the number of a message stands in front of the key.
  const order = ['messageNumber', ...parts.filter((part) => part !== 'messageNumber')] as const
  return order.flatMap((part) => {
    const text = envelope[part]
    return text === undefined ? [] : [{ tag: cpicTags[part], value: format(text) }]
  })
}
