import type { Clock, Logger } from '@sallyport/core'
import type { ControlHandler } from '../control/control-server.ts'
import type { EventLog } from '../trace/event-log.ts'
import type { Configuration } from '../configuration/configuration.ts'
import type { DataFolder } from './data-folder.ts'
import type { Ports } from './ports.ts'

/** The roles that `serve` knows. */
export const roles = ['token-service', 'destination-service', 'connectivity-proxy', 'connector'] as const
export type Role = (typeof roles)[number]

/** What a part is given to start with. */
export interface PartContext {
  readonly folder: DataFolder
  readonly configuration: Configuration
  readonly ports: Ports
  readonly clock: Clock
  readonly log: Logger
  readonly events: EventLog
  /** The local stack: what a shared server refuses unless its configuration allows it is allowed there, unless its configuration refuses it. */
  readonly development: boolean
  /** Asks for the end of the process, so that its wrapper starts it again, after answers under way have been sent. */
  readonly restart: () => void
}

/** One line of `sallyport status`. */
export interface PartStatus {
  readonly part: string
  readonly ready: boolean
  readonly addresses: readonly string[]
  readonly detail: string
}

/** A part of the stack that runs in this process. */
export interface RunningPart {
  readonly role: Role
  status(): Promise<readonly PartStatus[]>
  /** What other commands may ask of it. */
  readonly controls: Readonly<Record<string, ControlHandler>>
  /** Lets requests in flight finish for `graceMs`, then ends. */
  close(graceMs: number): Promise<void>
}
