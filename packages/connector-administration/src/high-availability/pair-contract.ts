import { z } from 'zod'
import type { HaSettings } from './ha-settings.ts'
import type { ReplacedDocument, Snapshot } from './installation.ts'
import { fingerprintOf } from './peer-call.ts'

/** States of a master: no shadow, one is being connected, one looks after it, one has fallen silent. */
export type MasterState = 'ALONE' | 'BINDING' | 'CONNECTED' | 'BROKEN'
/** States of a shadow (cloud-connector.md §6.2). */
export type ShadowState = 'INITIAL' | 'DISCONNECTED' | 'HANDSHAKE' | 'INITSYNC' | 'READY' | 'LOST'

/** What a pair tells about itself. `problem` is resolved when its message comes again with `resolved`. */
export interface PairNotice {
  readonly kind: 'problem' | 'resolved' | 'role'
  readonly message: string
}

/** How a shadow introduces itself to a master. */
export interface PeerLogOn {
  readonly user: string
  readonly password: string
  /** SHA-256 of the master's certificate: the password is given to no other. Without it, whoever answers at the first contact is taken for the master. */
  readonly fingerprint?: string | undefined
}

/** One of two instances that serve the same subaccounts, one at a time (cloud-connector.md §6). `user` is who asked, for the audit log. */
export interface Pair extends AsyncDisposable {
  readonly settings: HaSettings
  readonly masterState: MasterState
  /** Why the shadow lacks the configuration, for people. */
  readonly masterProblem: string | undefined
  readonly shadowState: ShadowState
  /** Why the shadow is not ready, for people. */
  readonly shadowMessage: string | undefined
  /** Version of the product that the master has told this shadow; `undefined` before it has. */
  readonly masterVersion: string | undefined
  /** @throws RestError 409 while a shadow is connected. */
  configureMaster(user: string, settings: Pick<HaSettings['master'], 'allowedShadowHost' | 'haEnabled'>): Promise<void>
  /** Counts from the next switch on, whether a shadow is connected or not. */
  setChannelGrace(user: string, minutes: number): Promise<void>
  /** @throws RestError 409 while connected. */
  configureShadow(user: string, settings: HaSettings['shadow']): Promise<void>
  /** Forgets the other instance, and the settings of the role. @throws RestError 409 while connected. */
  reset(user: string, role: 'master' | 'shadow'): Promise<void>
  /** Shadow: meets the master and gets its configuration. Without user and password both must have met before. @throws RestError 400, 409, 500. */
  connect(user: string, log: PeerLogOn | undefined): Promise<void>
  /** Shadow: stops looking after the master. */
  disconnect(user: string): Promise<void>
  /** Master: gives the role to the shadow, or just up. @throws RestError 409 when the shadow cannot take it. */
  switchRole(user: string, force: boolean): Promise<void>
  /** Closes the tunnels of an instance that has just been made a shadow. */
  standBy(): Promise<void>
  /** Configurations that this instance had as a master, and that its shadow had not got when it took over. */
  replaced(): Promise<readonly ReplacedDocument[]>
  /** What the other instance may ask. */
  readonly served: ServedPair
  /** Master: something has changed that the shadow has to have. */
  configurationChanged(): void
  /** Master: settles when what has been changed may be acknowledged. `what` names it for people. @throws RestError 500 when nobody knows whether it will last. */
  confirm(what: string): Promise<void>
  /** Master: settles when the shadow knows that this instance is about to start again with a restored backup, and waits for it. @throws RestError 409 when it cannot be told. */
  beginRestore(): Promise<void>
  /** Tells apart states of what master and shadow have in common. */
  sharedState(): Promise<string>
  /** To be called before any tunnel is opened: the other instance may have become the master meanwhile. */
  begin(): Promise<void>
  /** Settles when what has been begun up to now is done. */
  idle(): Promise<void>
}

/** Calls of the other instance. */
export interface ServedPair {
  /** @throws RestError 403 when the caller is not the other instance. */
  requirePeer(authorization: string | undefined): void
  /** Master: a shadow asks to be taken. @throws RestError 409, 403. */
  register(request: ShadowRequest, from: { readonly address: string; readonly user: string }): Promise<{ readonly secret: string }>
  ping(from: PeerStatus): Promise<PeerStatus>
  snapshot(): Promise<Snapshot>
  /** Shadow: the master has changed its configuration, which is fetched then. @throws RestError 409, ConnectivityError. */
  configurationChanged(): Promise<void>
  /** Shadow: the master restores a backup and starts again; nothing is taken over meanwhile, within a bound. */
  awaitRestore(): void
  /** Shadow: the master wants to give its role away. @throws RestError 409. */
  takeOver(user: string): Promise<void>
}

/** What each tells the other at every check. */
export interface PeerStatus {
  readonly role: 'undefined' | 'master' | 'shadow'
  readonly term: number
  readonly revision: number
  /** Of what belongs to subaccounts besides the configuration: renewed certificates change no revision. */
  readonly digest: string
  /** Of the product. */
  readonly version?: string | undefined
  /** Shadow: how long after it has last heard of the master it may have opened the tunnels, at most; 0 when it does not look after the master any more. */
  readonly takesOverWithinMs?: number | undefined
  /** Shadow: it has opened tunnels, and closed them again because the master is there. */
  readonly hasClosedTunnels?: boolean | undefined
}

/** Checks a {@link PeerStatus}. */
export const peerStatusSchema: z.ZodType<PeerStatus> = z.object({
  role: z.enum(['undefined', 'master', 'shadow']),
  term: z.int().min(0),
  revision: z.int(),
  digest: z.string().max(100),
  version: z.string().max(50).optional(),
  takesOverWithinMs: z.int().min(0).optional(),
  hasClosedTunnels: z.boolean().optional(),
})

/** A shadow introduces itself. */
export interface ShadowRequest {
  readonly host: string
  readonly port: number
  readonly certificate: string
  readonly version: string
  readonly checkIntervalInSeconds: number
  readonly takeoverDelayInSeconds?: number | undefined
}

/** Checks a {@link ShadowRequest}. */
export const shadowRequestSchema: z.ZodType<ShadowRequest> = z.object({
  host: z.string().min(1).max(255),
  port: z.int().min(1).max(65_535),
  certificate: z
    .string()
    .max(100_000)
    .refine((pem) => fingerprintOf(pem) !== undefined, 'is no certificate in PEM'),
  version: z.string().max(50),
  checkIntervalInSeconds: z.int().min(1).max(3_600),
  takeoverDelayInSeconds: z.int().min(0).max(3_600).optional(),
})
