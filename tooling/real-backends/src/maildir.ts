import { existsSync, readdirSync, readFileSync, watch } from 'node:fs'
import { join } from 'node:path'

/** Where a mail server delivers, one file for each message. */
export interface Maildir {
  readonly folder: string
  /** Waits until there are so many messages. */
  arrived(count: number, signal: AbortSignal): Promise<void>
  /** The messages that have arrived, oldest first, as they are stored: LF ends the lines. Waits until there are so many. */
  messages(count: number, signal: AbortSignal): Promise<readonly Buffer[]>
}

/** Reads `<folder>/new`; the folder has to be there. */
export function createMaildir(folder: string): Maildir {
  const fresh = join(folder, 'new')
  const names = (): readonly string[] => (existsSync(fresh) ? readdirSync(fresh).toSorted() : [])
  const maildir: Maildir = {
    folder,
    async arrived(count, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const look = (): void => {
        if (names().length >= count) resolve()
      }
      // Recursive, because the server makes the folders with the first message.
      const watcher = watch(folder, { recursive: true }, look)
      const onAbort = (): void =>
        reject(new Error(`${names().length} of ${count} messages have arrived in ${folder}`, { cause: signal.reason }))
      signal.addEventListener('abort', onAbort, { once: true })
      try {
        look()
        await promise
      } finally {
        watcher.close()
        signal.removeEventListener('abort', onAbort)
      }
    },
    async messages(count, signal) {
      await maildir.arrived(count, signal)
      return names().map((name) => readFileSync(join(fresh, name)))
    },
  }
  return maildir
}
