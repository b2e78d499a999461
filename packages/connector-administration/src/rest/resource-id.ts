/**
 * A resource id as a member of a path: slashes become hyphens, and what would be taken for one of them is escaped with `+` (cloud-connector.md §8.9).
 *
 * @example
 * encodeResourceId('/a-b/c') // '-a+2Db-c'
 */
export function encodeResourceId(id: string): string {
  return id.replaceAll('+', '+2B').replaceAll('-', '+2D').replaceAll('/', '-')
}

/** The way back. In one pass: what an escape stands for is never read again. */
export function decodeResourceId(member: string): string {
  return member.replaceAll(/-|\+2B|\+2D/gi, (found) => (found === '-' ? '/' : found.toUpperCase() === '+2B' ? '+' : '-'))
}
