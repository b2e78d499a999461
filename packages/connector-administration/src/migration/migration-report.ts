/** One thing that needs somebody's attention. */
export interface MigrationNote {
  readonly what: string
  /** Why it was left out, or what to do. */
  readonly note: string
}

/** What became of an original. */
export interface MigrationReport {
  readonly taken: {
    readonly subaccounts: number
    readonly systemMappings: number
    readonly resources: number
    readonly domainMappings: number
    readonly channels: number
    readonly trustedCertificates: number
    readonly subjectPatternRules: number
  }
  /** It was there, and is not in the result. */
  readonly leftOut: readonly MigrationNote[]
  /** No API tells it: secrets, keys, and what belongs to this installation alone. */
  readonly byHand: readonly MigrationNote[]
  /** Files that say nothing that is known. */
  readonly unread: readonly string[]
}

/** Collects a report. */
export interface MigrationNotes {
  leaveOut(what: string, note: string): void
  askFor(what: string, note: string): void
  readonly leftOut: readonly MigrationNote[]
  readonly byHand: readonly MigrationNote[]
}

/** Begins an empty report. */
export function createMigrationNotes(): MigrationNotes {
  const leftOut: MigrationNote[] = []
  const byHand: MigrationNote[] = []
  return {
    leftOut,
    byHand,
    leaveOut: (what, note) => void leftOut.push({ what, note }),
    askFor: (what, note) => void byHand.push({ what, note }),
  }
}
