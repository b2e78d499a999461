import type { Clock, Logger } from '@sallyport/core'
import type { HaSettings, HaSettingsStore } from './ha-settings.ts'
import type { Installation } from './installation.ts'
import type { PairNotice, PeerStatus } from './pair-contract.ts'
import type { CallPeer } from './peer-call.ts'
import { createPeerLink, type PeerLink } from './peer-link.ts'

/** What a pair is opened with. */
export interface PairOptions {
  readonly store: HaSettingsStore
  readonly installation: Installation
  /** Where the other instance finds this one. */
  readonly own: () => { readonly port: number; readonly certificate: string }
  readonly callPeer: CallPeer
  readonly clock: Clock
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
  now(): number
  /** Replaces some of the settings. @throws ConnectivityError `STORE_FAILED`, and nothing has changed. */
  save(change: Partial<HaSettings>): Promise<void>
  /** What the other instance is told at every check. */
  status(): Promise<PeerStatus>
  /** Checks the other instance. @throws ConnectivityError when it is not there, or answers nonsense. */
  ask(): Promise<PeerStatus>
  tell(kind: PairNotice['kind'], message: string): void
  report(error: unknown): void
}

/** Makes a member of a pair. */
export function createPairMember(options: PairOptions): PairMember {
  const { clock, installation, log, store } = options
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
    now: () => clock.now(),
    save: (change) => store.save({ ...store.current, ...change }),
    status: async () => ({
      role: installation.role,
      term: store.current.term,
      revision: installation.revision,
      digest: await installation.digest(),
    }),
    ask: async () => await link.ping(await member.status()),
    tell(kind, message) {
      if (kind === 'problem') log.warn({ reason: message }, 'high availability')
      else log.info({ message }, 'high availability')
      options.notice({ kind, message })
    },
    report: (error) => log.error({ reason: reasonOf(error) }, 'high availability'),
  }
  return member
}

/** Why something failed, for people. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown'
}
