import type { Clock, TunnelConnection, TunnelListener, TunnelTransport } from '@sallyport/core'
import type { CaseClock } from '../case-clock.ts'
import type { Case } from '../case.ts'

/** What a transport may claim. */
export type TransportFeature =
  /** Both sides prove who they are with a certificate. */
  | 'peerIdentity'
  /** It runs over TCP, so that the suite can put a faulty network in between. */
  | 'network'

/** What a transport is made with. */
export interface TransportDeps {
  readonly clock: Clock
}

/** Somebody who must not get a connection, or must not be believed. */
export interface Stranger {
  readonly who: string
  /** Dials with it. */
  readonly transport: TunnelTransport
}

/** What a case works with. Everything made through it is taken down by the suite. */
export interface TransportContext {
  readonly clock: CaseClock
  readonly transport: TunnelTransport
  /** A listener of the transport; every connection it gets is put into `arrived`. */
  readonly listener: TunnelListener
  readonly arrived: readonly TunnelConnection[]
  /** Connects, through another endpoint if one is given, and waits for the far end. */
  connect(endpoint?: URL): Promise<{ readonly near: TunnelConnection; readonly far: TunnelConnection }>
  readonly strangers: readonly Stranger[]
  /** Clock time within which a silent peer has to be noticed. */
  readonly silenceMs: number
  /** Fires when the case has waited too long. */
  readonly signal: AbortSignal
}

/** One behaviour of a transport. */
export type TransportCase = Case<TransportContext, TransportFeature>
