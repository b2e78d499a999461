import type { EntityRepository, Level } from '../src/index.ts'

/** What a chain of operations has left behind: content and label of each destination, by name. */
export type ChainState = ReadonlyMap<string, { readonly written: number; readonly labelled: number }>

/** One transaction of a chain, and what it makes of a state. */
export interface CrashOperation {
  run(repository: EntityRepository, level: Level): Promise<unknown>
  applyTo(state: ChainState): ChainState
}

const maxPerSubaccount = 100_000

/**
 * The operation number `step` of every chain, beginning with 1: bulk writes, bulk changes, labels and bulk deletions in turn. Each touches several rows or
 * several columns, so that half of it would show.
 */
export function crashOperation(step: number): CrashOperation {
  const names = (of: number): readonly string[] => Array.from({ length: 3 + (of % 5) }, (_, at) => `n-${of}-${at}`)
  const writes = (
    of: number,
  ): { name: string; properties: Record<string, string>; hidden: Record<string, string>; sharedWithSubscriber: boolean }[] =>
    names(of).map((name) => ({
      name,
      properties: { Name: name, Written: String(step) },
      hidden: { Written: String(step) },
      sharedWithSubscriber: false,
    }))
  const created = step - ((step - 1) % 4)
  switch (step % 4) {
    case 1:
      return {
        run: (repository, level) => repository.create('destination', level, writes(created), { nowMs: step, maxPerSubaccount }),
        applyTo: (state) => new Map([...state, ...names(created).map((name) => [name, { written: step, labelled: 0 }] as const)]),
      }
    case 2:
      return {
        run: (repository, level) => repository.replace('destination', level, writes(created), { nowMs: step }),
        applyTo: (state) =>
          new Map([...state].map(([name, entry]) => [name, names(created).includes(name) ? { ...entry, written: step } : entry])),
      }
    case 3:
      return {
        run: (repository, level) =>
          repository.setLabels('destination', level, `n-${created}-0`, () => [{ key: 'step', values: [String(step)] }]),
        applyTo: (state) =>
          new Map([...state].map(([name, entry]) => [name, name === `n-${created}-0` ? { ...entry, labelled: step } : entry])),
      }
    default:
      return {
        // All but one: deletion is of several rows, and something of every chain stays.
        run: (repository, level) => repository.remove('destination', level, names(created).slice(1)),
        applyTo: (state) => new Map([...state].filter(([name]) => !names(created).slice(1).includes(name))),
      }
  }
}

/** What a chain has left behind when exactly these steps were done. */
export function stateAfter(steps: number): ChainState {
  let state: ChainState = new Map()
  for (let step = 1; step <= steps; step += 1) state = crashOperation(step).applyTo(state)
  return state
}

/** What is there. @throws Error when content, hidden part, time and name of an entity do not belong together. */
export async function readState(repository: EntityRepository, level: Level): Promise<ChainState> {
  const entries = await repository.index('destination', level)
  const entities = await repository.read(
    'destination',
    level,
    entries.map(({ name }) => name),
  )
  return new Map(
    entities.map(({ name, properties, hidden, modifiedAtMs, labels }) => {
      const written = Number(properties['Written'])
      if (properties['Name'] !== name || hidden['Written'] !== properties['Written'] || modifiedAtMs !== written)
        throw new Error(`half an entity: ${JSON.stringify({ name, properties, hidden, modifiedAtMs })}`)
      return [name, { written, labelled: Number(labels[0]?.values[0] ?? 0) }]
    }),
  )
}
