import { z } from 'zod'

/** How the data of a subaccount is encrypted, and whether its owner has a key of its own around that. */
export interface EncryptionStatus {
  readonly keyOwner: 'operator' | 'customer'
  /** Whether the operator has named a key that the subaccount can be encrypted with. */
  readonly offered: boolean
  /** The rest is there when the customer has a key. */
  readonly system?: string | undefined
  readonly key?: string | undefined
  /** ISO 8601. */
  readonly since?: string | undefined
  /** Whether everything that was stored before is sealed anew. */
  readonly settled?: boolean | undefined
  /** `unavailable`: its system refuses it. `unreachable`: the system does not answer. */
  readonly state?: 'usable' | 'unavailable' | 'unreachable' | undefined
  readonly version?: string | undefined
  readonly algorithm?: string | undefined
}

export const encryptionStatusSchema: z.ZodType<EncryptionStatus> = z.object({
  keyOwner: z.enum(['operator', 'customer']),
  offered: z.boolean(),
  system: z.string().optional(),
  key: z.string().optional(),
  since: z.string().optional(),
  settled: z.boolean().optional(),
  state: z.enum(['usable', 'unavailable', 'unreachable']).optional(),
  version: z.string().optional(),
  algorithm: z.string().optional(),
})
