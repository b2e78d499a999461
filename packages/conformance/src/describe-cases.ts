import { describe, it, type TestAPI } from 'vitest'

/** One behaviour. `requires` names the feature that a subject must claim for it. */
export interface Case<Context, Feature extends string> {
  readonly requires?: Feature
  run(context: Context): Promise<void>
}

/** What a subject says about itself. */
export interface Claims<Feature extends string, Name extends string> {
  /** What the technology can do. Cases of unclaimed features print as skipped. */
  readonly features: Readonly<Record<Feature, boolean>>
  /** Case -> why it fails today. Runs as `it.fails`: a gap that starts passing turns the run red. */
  readonly knownGaps?: Readonly<Partial<Record<Name, string>>>
  /** Checklist lines that a case proves for this subject, put in front of its title. */
  readonly proves?: Readonly<Partial<Record<Name, string>>>
}

/** Turns a table of cases into tests of one subject. */
export function describeCases<Context, Feature extends string, Name extends string>(
  kind: string,
  name: string,
  cases: Readonly<Record<Name, Case<Context, Feature>>>,
  claims: Claims<Feature, Name>,
  run: (test: Case<Context, Feature>) => Promise<void>,
): void {
  describe(`${kind}: ${name}`, () => {
    for (const behaviour of Object.keys(cases) as Name[]) {
      const { register, suffix } = registration(cases[behaviour], claims, claims.knownGaps?.[behaviour])
      const ids = claims.proves?.[behaviour]
      register(`${ids === undefined ? '' : `${ids} `}${behaviour}${suffix}`, () => run(cases[behaviour]))
    }
  })
}

function registration<Context, Feature extends string, Name extends string>(
  test: Case<Context, Feature>,
  claims: Claims<Feature, Name>,
  gap: string | undefined,
): { readonly register: TestAPI | TestAPI['skip']; readonly suffix: string } {
  if (test.requires !== undefined && !claims.features[test.requires]) return { register: it.skip, suffix: ` (needs ${test.requires})` }
  return gap === undefined ? { register: it, suffix: '' } : { register: it.fails, suffix: ` (known gap: ${gap})` }
}
