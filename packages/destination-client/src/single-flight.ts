/** Lets calls for the same thing share one flight, so that an expired entry is fetched once and not by everybody. */
export function createSingleFlight<T>(): (key: string, start: () => Promise<T>) => Promise<T> {
  const flights = new Map<string, Promise<T>>()
  return (key, start) => {
    const flying = flights.get(key)
    if (flying !== undefined) return flying
    const flight = start().finally(() => flights.delete(key))
    flights.set(key, flight)
    // Every caller may have gone by the time it fails.
    flight.catch(() => {})
    return flight
  }
}
