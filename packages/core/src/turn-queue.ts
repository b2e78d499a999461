/** Lets pieces of work happen one after the other, in the order in which they were asked for. */
export interface TurnQueue {
  /** Does the work when everything before it is done, and settles as it does; what fails holds nobody up. Work that waits for a later turn waits forever. */
  inTurn<T>(work: () => T | Promise<T>): Promise<T>
  /** Settles when everything that has been asked for up to now is done; never fails. */
  idle(): Promise<void>
}

/** Makes an empty queue. It has no limit: who asks bounds how much waits. */
export function createTurnQueue(): TurnQueue {
  let last: Promise<unknown> = Promise.resolve()
  return {
    inTurn(work) {
      const done = last.then(work)
      // Who asked learns of a failure; the next one only waits.
      last = done.catch(() => {})
      return done
    },
    async idle() {
      await last
    },
  }
}
