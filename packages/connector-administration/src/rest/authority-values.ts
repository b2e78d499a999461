import { z } from 'zod'
import { tolerantText } from './tolerant-values.ts'

const client = tolerantText(3).refine((text) => /^[0-9A-Z]{3}$/i.test(text), 'is not a client: three characters such as 100')

/** Clients that may log on; also in the form of objects, which one page of the original shows. Duplicates count once. */
export const clientList: z.ZodType<readonly string[]> = z
  .array(z.union([client, z.object({ client }).transform((entry) => entry.client)]))
  .max(1000)
  .transform((clients) => [...new Set(clients)])

/** A user of one client who may not log on. */
export interface BlockedUser {
  readonly client: string
  readonly user: string
}

/** Users who may not log on. Duplicates count once. */
export const blockedUserList: z.ZodType<readonly BlockedUser[]> = z
  .array(z.object({ client, user: z.string().min(1).max(12) }))
  .max(10_000)
  .transform(withoutDuplicates)

/** The same users, each once. */
export function withoutDuplicates(users: readonly BlockedUser[]): readonly BlockedUser[] {
  return [...new Map(users.map((entry) => [`${entry.client}:${entry.user}`, entry])).values()]
}
