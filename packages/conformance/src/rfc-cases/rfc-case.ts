import type { Duplex } from 'node:stream'
import type { Address } from '@sallyport/core'
import type { LogonRequest } from '@sallyport/rfc-wire'
import { type AbapGatewayOptions, serveAbapGateway } from '../backends/abap-gateway/abap-gateway.ts'
import type { GatewaySeen } from '../backends/abap-gateway/gateway-seen.ts'
import type { Case } from '../case.ts'
import { expect } from '../expect.ts'
import type { FarEnd, FarSide } from '../far-side.ts'
import { within } from '../probe.ts'
import { type CallOutcome, createRfcCaller, type RfcCaller, rfcLogon } from './rfc-caller.ts'

export type RfcFeature =
  /** The way to the system reads RFC: it admits `STFC_*` and `Z_*` and no other function, and hides the names of either side. */
  | 'relay'
  /** An address that no mapping exposes is known. */
  | 'refusals'

/** A way to a gateway, and gateways at its far end. */
export interface RfcFarSide extends FarSide {
  /** A virtual address that no mapping exposes (feature `refusals`). */
  readonly notExposed?: Address
}

/** What a case of RFC gets. */
export interface RfcContext {
  readonly far: RfcFarSide
  /** Fires when the case has waited too long. */
  readonly signal: AbortSignal
}

export type RfcCase = Case<RfcContext, RfcFeature>

/** A system behind the far side. */
export interface PlayedSystem {
  readonly address: Address
  /** One for each connection, in order. */
  readonly visits: readonly GatewaySeen[]
  /** Breaks every connection without a word. */
  breakConnections(): void
}

/** Plays a system in which {@link rfcLogon} may log on. */
export async function playSystem({ far }: RfcContext, options: AbapGatewayOptions = {}): Promise<PlayedSystem> {
  const { client, user, password } = rfcLogon
  const visits: GatewaySeen[] = []
  const ends: FarEnd[] = []
  const address = await far.serve((end) => {
    ends.push(end)
    visits.push(serveAbapGateway(end.stream, { users: [{ client, user, password }], ...options }))
  })
  return {
    address,
    visits,
    breakConnections() {
      for (const end of ends) end.reset()
    },
  }
}

/** A caller, and the stream below it. */
export interface OpenCaller {
  readonly caller: RfcCaller
  readonly stream: Duplex
}

/** A caller that has said nothing yet. */
export async function openCaller({ far, signal }: RfcContext, address: Address): Promise<OpenCaller> {
  const stream = await within(far.dial(address, { signal, locationId: '' }), signal, 'the dial')
  return { stream, caller: createRfcCaller(stream, { host: address.host, answersPings: true, signal }) }
}

/** A caller that has logged on. */
export async function openLoggedOn(context: RfcContext, address: Address, logon: Partial<LogonRequest> = {}): Promise<OpenCaller> {
  const open = await openCaller(context, address)
  expect(kindOf(await open.caller.logOn(logon)), 'the logon').toBe('success')
  return open
}

/** `success`, or what happened instead with the words of whoever refused: a report tells it then. */
export function kindOf(outcome: CallOutcome): string {
  if (outcome.kind !== 'error') return outcome.kind
  const { exceptionKey, errorText, messageText } = outcome.error
  return `error: ${exceptionKey ?? errorText ?? messageText ?? 'without a text'}`
}
