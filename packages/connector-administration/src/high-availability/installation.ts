import type { HaRole } from '../document/administered-document.ts'

/** Everything that a pair has in common, as one value. */
export interface Snapshot {
  /** Of the master's configuration. */
  readonly revision: number
  readonly document: unknown
  /** Identities, trust lists and generated keys. */
  readonly material: Readonly<Record<string, string>>
}

/** A configuration of a former master, as it was when another instance had taken over. */
export interface ReplacedDocument {
  /** Time of day, ISO 8601; tells them apart, also those of one revision. */
  readonly keptAt: string
  readonly revision: number
  /** In which it was the master; not there for what an earlier version has kept. */
  readonly term?: number | undefined
  readonly document: unknown
}

/** This installation, as a pair sees it. */
export interface Installation {
  readonly role: HaRole
  readonly revision: number
  /** Of the product. */
  readonly version: string
  /** Changes the role, durably. `user` is who asked, for the audit log. */
  setRole(role: 'master' | 'shadow', user: string): Promise<void>
  snapshot(): Promise<Snapshot>
  /** Tells apart what belongs to subaccounts besides the configuration. */
  digest(): Promise<string>
  /** Takes a snapshot of the master over, without opening a tunnel. */
  apply(snapshot: Snapshot): Promise<void>
  /** Keeps what is configured now aside, durably; only the latest few are kept. Returns what tells it apart, see `ReplacedDocument.keptAt`. */
  keepReplaced(at: { readonly atMs: number; readonly term: number }): Promise<string>
  /** What has been kept aside, the latest first. */
  replaced(): Promise<readonly ReplacedDocument[]>
  /** Whether there is any tunnel that another instance could take over. */
  readonly wantsTunnels: boolean
  /** Opens the tunnels that are meant to be open, and tells how many are when all are or the time is over. */
  openTunnels(): Promise<number>
  /** Opens those again that another instance has replaced, which would wait for minutes so that two copies do not chase each other. Tells how many. */
  reopenTunnels(): Promise<number>
  /** Whether the cloud side answers through every tunnel that is open, and no other instance has replaced one; also when no tunnel is meant to be. */
  isServing(): Promise<boolean>
  /** Clients of service channels may finish for `channelGraceMs`, and nobody waits for them; everything else is cut. */
  closeTunnels(options?: { readonly channelGraceMs: number }): Promise<void>
}
