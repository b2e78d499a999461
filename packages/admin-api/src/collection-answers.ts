import { z } from 'zod'

/** How many entities a change has reached. */
export const countSchema: z.ZodType<{ readonly Count: number }> = z.object({ Count: z.number() })

/** What became of one entity of a bulk write: `etag` when it was stored, `cause` when it was not. */
export interface BulkResultEntry {
  readonly name: string
  readonly status: number
  readonly etag?: string | undefined
  readonly cause?: string | undefined
}

/** Checks the answer to a bulk write. */
export const bulkResultSchema: z.ZodType<readonly BulkResultEntry[]> = z.array(
  z.object({ name: z.string(), status: z.number(), etag: z.string().optional(), cause: z.string().optional() }),
)

/** What became of each name of a bulk deletion. */
export interface BulkDeletion {
  readonly Count: number
  readonly Summary: readonly { readonly name: string; readonly status: 'DELETED' | 'NOT_FOUND'; readonly reason?: string | undefined }[]
}

/** Checks the answer to a bulk deletion. */
export const bulkDeletionSchema: z.ZodType<BulkDeletion> = z.object({
  Count: z.number(),
  Summary: z.array(z.object({ name: z.string(), status: z.enum(['DELETED', 'NOT_FOUND']), reason: z.string().optional() })),
})
