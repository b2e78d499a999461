/** What a destination service should hold, and what it should answer: the rules of levels and limits in the simplest form they have. */
export interface Tenant {
  readonly subaccount: string
  readonly instance: string
  readonly provider: string
}

export type Kind = 'destination' | 'fragment' | 'certificate'
export type Word = 'subaccount' | 'instance' | 'provider_subaccount' | 'provider_instance'

/** Whose entities, as text. */
export type LevelKey = string

interface Entity {
  marker: string
  labels: string[]
  readonly uses?: string
}

export const levelKey = (tenant: Tenant, word: Word): LevelKey =>
  JSON.stringify([word.startsWith('provider_') ? tenant.provider : tenant.subaccount, word.endsWith('instance') ? tenant.instance : null])

/** Levels whose entities a tenant may ever see in an answer. */
export const visibleLevels = (tenant: Tenant): ReadonlySet<LevelKey> =>
  new Set((['subaccount', 'instance', 'provider_subaccount', 'provider_instance'] as const).map((word) => levelKey(tenant, word)))

export class TenancyModel {
  readonly #levels = new Map<string, Map<string, Entity>>()
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  of(level: LevelKey, kind: Kind): Map<string, Entity> {
    const key = `${kind} ${level}`
    const known = this.#levels.get(key) ?? new Map<string, Entity>()
    this.#levels.set(key, known)
    return known
  }

  create(level: LevelKey, kind: Kind, name: string, entity: Entity): 201 | 409 | 400 {
    const entities = this.of(level, kind)
    if (entities.has(name)) return 409
    const [subaccount] = JSON.parse(level) as [string]
    const owned = [...this.#levels].filter(([key]) => key.startsWith(`${kind} [${JSON.stringify(subaccount)},`))
    if (owned.reduce((sum, [, map]) => sum + map.size, 0) >= this.#limit) return 400
    entities.set(name, entity)
    return 201
  }

  replace(level: LevelKey, kind: Kind, name: string, entity: Omit<Entity, 'labels'>): 200 | 404 {
    const entities = this.of(level, kind)
    const before = entities.get(name)
    if (before === undefined) return 404
    entities.set(name, { ...entity, labels: before.labels })
    return 200
  }

  /** Who keeps these from being deleted. */
  users(level: LevelKey, names: readonly string[]): string[] {
    const entities = this.of(level, 'destination')
    return [...entities].flatMap(([name, { uses }]) =>
      uses !== undefined && names.includes(uses) && entities.has(uses) && !names.includes(name) ? [name] : [],
    )
  }
}
