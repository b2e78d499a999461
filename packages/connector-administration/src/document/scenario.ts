import type { AdministeredMapping, AdministeredResource } from './administered-mapping.ts'

/** A named set of resources that is brought into a mapping together, and goes together. */
export interface Scenario {
  readonly name: string
  readonly resources: readonly AdministeredResource[]
}

/** Brings a scenario into a mapping: resources that are there already stay as they are, and belong to it from then on. */
export function addScenario(mapping: AdministeredMapping, { name, resources }: Scenario): AdministeredMapping {
  const known = mapping.resources.map((resource) =>
    resources.some(({ id }) => id === resource.id)
      ? { ...resource, scenarios: [...new Set([...(resource.scenarios ?? []), name])] }
      : resource,
  )
  const fresh = resources
    .filter(({ id }) => !known.some((resource) => resource.id === id))
    .map((resource) => ({ ...resource, scenarios: [name], ownedByScenarios: true }))
  return { ...mapping, resources: [...known, ...fresh] }
}

/** Takes a scenario out of a mapping again: a resource goes with it that came with one, and belongs to no other. */
export function removeScenario(mapping: AdministeredMapping, name: string): AdministeredMapping {
  const resources = mapping.resources.flatMap((resource) => {
    if (resource.scenarios?.includes(name) !== true) return [resource]
    const scenarios = resource.scenarios.filter((other) => other !== name)
    return scenarios.length === 0 && resource.ownedByScenarios === true ? [] : [{ ...resource, scenarios }]
  })
  return { ...mapping, resources }
}

/** The names of all scenarios of a mapping. */
export function scenariosOf(mapping: AdministeredMapping): readonly string[] {
  return [...new Set(mapping.resources.flatMap(({ scenarios }) => scenarios ?? []))]
}
