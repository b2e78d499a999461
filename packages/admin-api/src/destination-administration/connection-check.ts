import { z } from 'zod'

/** One step on the way to the target. */
export interface CheckedHop {
  readonly hop: 'address' | 'connect' | 'tls' | 'proxy' | 'connector' | 'backend'
  readonly ok: boolean
  readonly durationMs: number
  /** What was reached, or what went wrong and what to look at. */
  readonly detail: string
}

/** Whether a connection to a destination's target is possible; nothing is said of whether anybody may do something there. */
export interface ConnectionVerdict {
  readonly successful: boolean
  /** The original's words. */
  readonly message: string
  /** What the target answered, if it did. */
  readonly status?: number | undefined
  readonly durationMs: number
  readonly hops: readonly CheckedHop[]
}

/** Checks a {@link ConnectionVerdict}. */
export const connectionVerdictSchema: z.ZodType<ConnectionVerdict> = z.object({
  successful: z.boolean(),
  message: z.string(),
  status: z.number().optional(),
  durationMs: z.number(),
  hops: z.array(
    z.object({
      hop: z.enum(['address', 'connect', 'tls', 'proxy', 'connector', 'backend']),
      ok: z.boolean(),
      durationMs: z.number(),
      detail: z.string(),
    }),
  ),
})
