/** Values by subaccount and location ID. Two maps inside each other, because no separator is safe: both names are free text. */
export interface LocationMap<T> {
  readonly size: number
  get(subaccount: string, locationId: string): T | undefined
  set(subaccount: string, locationId: string, value: T): void
  delete(subaccount: string, locationId: string): void
  ofSubaccount(subaccount: string): readonly T[]
  values(): readonly T[]
}

/** An empty map. */
export function createLocationMap<T>(): LocationMap<T> {
  const subaccounts = new Map<string, Map<string, T>>()
  let size = 0
  return {
    get size() {
      return size
    },
    get: (subaccount, locationId) => subaccounts.get(subaccount)?.get(locationId),
    set(subaccount, locationId, value) {
      let locations = subaccounts.get(subaccount)
      if (locations === undefined) subaccounts.set(subaccount, (locations = new Map()))
      if (!locations.has(locationId)) size++
      locations.set(locationId, value)
    },
    delete(subaccount, locationId) {
      const locations = subaccounts.get(subaccount)
      if (locations?.delete(locationId) !== true) return
      size--
      if (locations.size === 0) subaccounts.delete(subaccount)
    },
    ofSubaccount: (subaccount) => [...(subaccounts.get(subaccount)?.values() ?? [])],
    values: () => [...subaccounts.values()].flatMap((locations) => [...locations.values()]),
  }
}
