import { describe, it, type TestAPI } from 'vitest'
import { type Case, type Claims, provenBy } from './case.ts'

/** Turns a table of cases into tests of one subject. Known gaps run as `it.fails`. */
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
      const title = [...provenBy(behaviour, cases[behaviour], claims), behaviour].join(' ')
      register(`${title}${suffix}`, () => run(cases[behaviour]))
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
