import type { z } from 'zod'
import type { Answer } from '../http/answer.ts'
import type { ServiceContext, ServiceRequest } from '../http/service-request.ts'
import type { ClauseKind } from './entity-filter.ts'
import type { EntityKind, EntityWrite, Level } from './entity-repository.ts'

/** What the routes of one kind have of their own; everything else is the same for all kinds. */
export interface Collection {
  readonly kind: EntityKind
  /** What follows the level in paths: `subaccountDestinations`. */
  readonly path: string
  /** The property that holds the name. */
  readonly nameProperty: 'Name' | 'FragmentName'
  /** What one looks like on the wire, for the API's document. */
  readonly schema: z.ZodType
  /** What `$filter` of a list can say. */
  readonly filters: readonly ClauseKind[]
  /** Whether arrays can be written, and several be deleted by a filter. */
  readonly bulk: boolean
  /** What deleting an unknown one is: an error, or a deletion of none. */
  readonly absentDeletion: 'refused' | 'counted'
  /** What is answered when there is none of that name. */
  absent(name: string): Answer
  /** Reads one entity of a request; may take its time, for instance to generate a key. */
  check(value: unknown, target: WriteTarget, context: ServiceContext): EntityVerdict | Promise<EntityVerdict>
  /** The refusal when one of these must stay. */
  refuseRemoval?(names: readonly string[], level: Level, context: ServiceContext): Promise<RemovalRefusal | undefined>
}

/** What a write is about to do. */
export interface WriteTarget {
  readonly request: ServiceRequest
  readonly level: Level
  readonly verb: 'created' | 'replaced'
}

/** An entity to be stored, or why it cannot be. `name` is `''` where it has none that may be shown. */
export type EntityVerdict =
  | { readonly valid: true; readonly write: EntityWrite }
  | { readonly valid: false; readonly name: string; readonly problem: string }

/** Why something must stay: once for a single deletion, once for one of several. */
interface RemovalRefusal {
  readonly single: string
  readonly bulk: string
}
