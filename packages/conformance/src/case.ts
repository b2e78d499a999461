/** One behaviour. `requires` names the feature that a subject must claim for it. */
export interface Case<Context, Feature extends string> {
  readonly requires?: Feature
  /** Checklist lines that the case proves for every subject, put in front of its title. */
  readonly proves?: readonly string[]
  run(context: Context): Promise<void>
}

/** What a subject says about itself. */
export interface Claims<Feature extends string, Name extends string> {
  /** What the technology can do. Cases of unclaimed features print as skipped. */
  readonly features: Readonly<Record<Feature, boolean>>
  /** Case -> why it fails today. A gap that starts passing turns the run red, so that the list cannot rot. */
  readonly knownGaps?: Readonly<Partial<Record<Name, string>>>
  /** Checklist lines that a case proves for this subject beyond those that it always proves; separated by blanks. */
  readonly proves?: Readonly<Partial<Record<Name, string>>>
}

/** The checklist lines of one case for one subject. */
export function provenBy<Name extends string>(
  name: Name,
  test: Case<never, string>,
  claims: Pick<Claims<string, Name>, 'proves'>,
): readonly string[] {
  return [...(test.proves ?? []), ...(claims.proves?.[name]?.split(' ') ?? [])]
}
