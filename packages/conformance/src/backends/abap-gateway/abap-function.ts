import type { DeepValue, RfcErrorEnvelope } from '@sallyport/rfc-wire'
import type { DictionaryType } from './dictionary.ts'

/** A parameter in the interface of a function module. */
export interface AbapParameter {
  readonly name: string
  readonly direction: 'import' | 'export' | 'changing' | 'tables'
  /** Of a parameter declared as TABLES: its line. */
  readonly type: DictionaryType
  readonly optional?: boolean
  readonly text?: string
}

/** What a function module reads and returns: values by upper-case name. */
export type AbapValues = Readonly<Record<string, DeepValue>>

/** The text of a value; `''` for what is none. */
export function textOf(value: DeepValue | undefined): string {
  return typeof value === 'string' ? value : ''
}

/** A function module of the fixture. Metadata are answered from what is declared here. */
export interface AbapFunction {
  readonly name: string
  readonly parameters: readonly AbapParameter[]
  /** Names of the exceptions it raises. */
  readonly exceptions?: readonly string[]
  /** Inputs that were not sent are missing. Throws {@link AbapFailure} to end otherwise than well. */
  readonly run: (inputs: AbapValues, session: AbapSession) => AbapValues | Promise<AbapValues>
}

/** What an application server keeps as long as a conversation stands. */
export interface AbapSession {
  readonly user: string
  readonly client: string
  readonly language: string
  /** Global data of function groups, by whatever name a function chooses. */
  readonly memory: Map<string, unknown>
  /** Forgets the data, as SYSTEM_RESET_RFC_SERVER does. */
  reset(): void
}

/** A function module that ends with an exception, a message or a short dump. */
export class AbapFailure extends Error {
  readonly envelope: RfcErrorEnvelope
  /** Whether the server ends the conversation with its answer, as it does for everything but exceptions. */
  readonly endsConversation: boolean

  constructor(envelope: RfcErrorEnvelope) {
    super(envelope.exceptionKey ?? envelope.errorText ?? envelope.messageText ?? 'failure')
    this.envelope = envelope
    this.endsConversation = envelope.exceptionKey === undefined
  }
}
