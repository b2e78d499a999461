/** The end of something that others are served by. */
export interface Closing {
  readonly hasBegun: boolean
  /** Begins at the first call; every call settles when it is over. What is not done after `graceMs` of the first call is cut off. */
  close(options: { readonly graceMs: number }): Promise<void>
}

/** Makes an end out of what has to be done for it. */
export function createClosing(shutDown: (graceMs: number) => Promise<void>): Closing {
  let over: Promise<void> | undefined
  return {
    get hasBegun() {
      return over !== undefined
    },
    close({ graceMs }) {
      if (over === undefined) {
        const { promise, reject, resolve } = Promise.withResolvers<void>()
        // It has begun for whoever asks while it is being done.
        over = promise
        shutDown(graceMs).then(resolve, reject)
      }
      return over
    },
  }
}
