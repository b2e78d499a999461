import type { VirtualAddress } from '../access-control/access-decision.ts'
import type { SystemMapping } from '../access-control/system-mapping.ts'
import type { Exchange } from './exchange.ts'
import { functionRefusal, type Refusal } from './refusals.ts'
import type { RequestInput } from './request-input.ts'
import { explainUnreadable, inspectSoap, type SoapInspection, type SoapVerdict } from './soap-inspection.ts'

/** What the gate works with; the input belongs to the stream. */
export interface SoapGateDeps {
  readonly address: VirtualAddress
  readonly input: RequestInput
  /** Writes to the application, ahead of the answer. */
  readonly answer: (bytes: Buffer) => void
  readonly onAllowed: (current: Exchange, mapping: SystemMapping) => void
  readonly onDenied: (current: Exchange, refusal: Refusal, reason: string) => void
}

/** Holds a SOAP request back until its function is decided. Nothing of it leaves before that, so its body is read first. */
export interface SoapGate {
  /** Whether the body that arrives belongs to a request that is not decided. */
  readonly isReading: boolean
  begin(current: Exchange, mapping: SystemMapping): void
  /** The next piece of the body. */
  read(chunk: Buffer): void
  /** The body is complete. */
  end(): void
  /** The request has ended in another way; nothing is decided about it any more. */
  clear(): void
}

interface Reading {
  readonly current: Exchange
  readonly mapping: SystemMapping
  readonly inspection: SoapInspection
}

/** The body is wanted before the backend has been asked. */
const continueAnswer = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n')

/** Makes the gate of one stream, whose requests come one after the other. */
export function createSoapGate({ address, answer, input, onAllowed, onDenied }: SoapGateDeps): SoapGate {
  let reading: Reading | undefined

  function conclude({ current, inspection, mapping }: Reading, verdict: SoapVerdict): void {
    clear()
    current.held = inspection.held
    if (!current.requestDone) input.mode = 'hold'
    if ('refused' in verdict) return denyUnread(current, verdict.refused)
    const { functionName } = verdict
    const decision = mapping.soapFunctions?.decide(functionName)
    if (decision?.allowed === true) return onAllowed(current, mapping)
    onDenied(current, functionRefusal(functionName, '', address), `function ${functionName}: ${decision?.reason ?? 'nobody decides'}`)
  }

  function denyUnread(current: Exchange, reason: string): void {
    onDenied(current, functionRefusal(undefined, reason, address), reason)
  }

  function clear(): void {
    if (reading === undefined) return
    reading = undefined
    input.setFull(false)
  }

  return {
    get isReading() {
      return reading !== undefined
    },
    begin(current, mapping) {
      const { head, requestDone } = current
      const unreadable = explainUnreadable(head) ?? (requestDone ? 'it has no body' : undefined)
      if (unreadable !== undefined) return denyUnread(current, unreadable)
      reading = { current, mapping, inspection: inspectSoap(head) }
      if (head.expectsContinue) answer(continueAnswer)
      input.become('body')
    },
    read(chunk) {
      const began = reading
      const verdict = began?.inspection.read(chunk)
      if (began === undefined || verdict === undefined) return
      // Nothing more is taken until it is decided; whether this was the end of the body is known when the turn is over.
      input.setFull(true)
      queueMicrotask(() => {
        if (reading === began) conclude(began, verdict)
      })
    },
    end() {
      if (reading !== undefined) conclude(reading, reading.inspection.end())
    },
    clear,
  }
}
