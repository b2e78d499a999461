import type { AuditSink, Clock, Logger } from '@sallyport/core'
import { haChanges } from './ha-changes.ts'
import type { HaSettings, HaSettingsStore } from './ha-settings.ts'
import type { Installation } from './installation.ts'
import type { PairNotice, PeerStatus } from './pair-contract.ts'
import type { CallPeer } from './peer-call.ts'
import { snapshotStallMs, takeOverPatienceMs } from '../limits.ts'
import { createPeerLink, type PeerLink } from './peer-link.ts'

/** Who changes what the pair changes by itself, for the audit log. */
export const pairAuthor = 'high availability'

/** What a pair is opened with. */
export interface PairOptions {
  readonly store: HaSettingsStore
  readonly installation: Installation
  /** Where the other instance finds this one. */
  readonly own: () => { readonly port: number; readonly certificate: string }
  readonly callPeer: CallPeer
  readonly clock: Clock
  /** Gets every change of the settings of the pair. */
  readonly audit: Pick<AuditSink, 'write'>
  readonly log: Logger
  readonly notice: (notice: PairNotice) => void
}

/** This instance as one of two, in whichever role: what it knows, whom it asks, and how it tells about it. */
export interface PairMember {
  readonly settings: HaSettings
  readonly installation: Installation
  /** What the other instance can be asked. */
  readonly link: PeerLink
  /** How often master and shadow look after each other. */
  readonly intervalMs: number
  /** How long it takes or lasts, whatever somebody sets the clock to. */
  elapsed(): number
  /** Time of day, for what people read. */
  now(): number
  /** Writes to the audit log what is no change of settings. */
  audit(message: string, user: string): void
  /** Replaces some of the settings. `user` is who asked, for the audit log. @throws ConnectivityError `STORE_FAILED`, and nothing has changed. */
  save(change: Partial<HaSettings>, user?: string): Promise<void>
  /** What the other instance is told at every check. */
  status(): Promise<PeerStatus>
  /** Checks the other instance, and tells it something `besides`. @throws ConnectivityError when it is not there, or answers nonsense. */
  ask(besides?: Partial<PeerStatus>): Promise<PeerStatus>
  tell(kind: PairNotice['kind'], message: string): void
  report(error: unknown): void
}

/** Makes a member of a pair. */
export function createPairMember(options: PairOptions): PairMember {
  const { audit, clock, installation, log, store } = options
  const link = createPeerLink(options)
  const member: PairMember = {
    get settings() {
      return store.current
    },
    installation,
    link,
    get intervalMs() {
      return (store.current.peer ?? store.current.shadow).checkIntervalInSeconds * 1000
    },
    elapsed: () => clock.elapsed(),
    now: () => clock.now(),
    audit(message, user) {
      audit.write({ type: 'configuration-changed', category: 'Configuration', subaccount: '', user, message })
    },
    async save(change, user = pairAuthor) {
      const before = store.current
      await store.save({ ...before, ...change })
      for (const entry of haChanges(before, store.current, user)) audit.write(entry)
    },
    status: async () => ({
      role: installation.role,
      version: installation.version,
      term: store.current.term,
      revision: installation.revision,
      digest: await installation.digest(),
      // One that does not look after its master never takes over by itself.
      ...(installation.role === 'shadow' ? { takesOverWithinMs: store.current.looksAfter ? takesOverWithinMs(store.current) : 0 } : {}),
    }),
    ask: async (besides) => await link.ping({ ...(await member.status()), ...besides }),
    tell(kind, message) {
      if (kind === 'problem') log.warn({ reason: message }, 'high availability')
      else log.info({ message }, 'high availability')
      options.notice({ kind, message })
    },
    report: (error) => log.error({ reason: reasonOf(error) }, 'high availability'),
  }
  return member
}

/** How long a shadow waits once it has lost its master: a former master as long as its own shadow has waited, not what nobody has set here. */
export function takeoverDelayMs({ peer, shadow }: HaSettings): number {
  return (peer?.takeoverDelayInSeconds ?? shadow.takeoverDelayInSeconds) * 1000
}

/** The longest way from a check that the master has heard to tunnels that are open: its answer and a transfer are lost, then a check after the interval, and one after the delay. */
export function takesOverWithinMs(settings: HaSettings): number {
  const { peer, shadow } = settings
  const intervalMs = (peer ?? shadow).checkIntervalInSeconds * 1000
  const checkMs = shadow.connectTimeoutInMillis + shadow.requestTimeoutInMillis
  return intervalMs + takeoverDelayMs(settings) + 3 * checkMs + snapshotStallMs + takeOverPatienceMs
}

/** Why something failed, for people. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown'
}
