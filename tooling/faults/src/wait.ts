/** Settles when the condition holds; what it throws counts as "not yet". @throws Error that names what did not happen. */
export async function until(what: string, condition: () => Promise<boolean>, patienceMs: number): Promise<void> {
  const deadline = performance.now() + patienceMs
  let last: unknown
  for (;;) {
    try {
      if (await condition()) return
    } catch (error) {
      last = error
    }
    if (performance.now() > deadline) throw new Error(`${what}: not within ${patienceMs / 1000} s`, { cause: last })
    await pause(50)
  }
}

/** Lets time pass: between two looks, or while a fault is meant to last. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
