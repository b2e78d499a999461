import type { Logger } from '@sallyport/core'

/** A logger that keeps everything it is given, children's fields included. */
export function createRecordingLogger(): { readonly logger: Logger; readonly lines: readonly unknown[] } {
  const lines: unknown[] = []
  const make = (bound: object): Logger => {
    const write = (fields: object, message: string): void => void lines.push({ ...bound, ...fields, message })
    return { debug: write, info: write, warn: write, error: write, child: (fields) => make({ ...bound, ...fields }) }
  }
  return { logger: make({}), lines }
}
