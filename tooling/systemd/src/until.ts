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
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
