/** What an export says instead of a secret; a value of this text says nothing. Word for word as in the original's files. */
export const removedSecretText = '<< Existing password/certificate removed on export >>'

/** Properties as a file has them. */
export interface FileRecord {
  /** Values as written: texts from `.properties` and YAML; JSON has numbers and others too, which whoever stores them checks. */
  readonly properties: Readonly<Record<string, unknown>>
  /** Secrets that were there before the export and are to be asked for. */
  readonly removed: readonly string[]
}

/** Takes the places of removed secrets for what they are: missing. */
export function separateRemoved(entries: Iterable<readonly [string, unknown]>, removed: readonly string[] = []): FileRecord {
  const kept = new Map(entries)
  const missing = new Set(removed.filter((name) => !kept.has(name)))
  for (const [name, value] of kept) {
    if (value !== removedSecretText) continue
    kept.delete(name)
    missing.add(name)
  }
  return { properties: Object.fromEntries(kept), removed: [...missing] }
}
