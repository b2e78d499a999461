import { execFile } from 'node:child_process'
import type { Clock, Logger } from '@sallyport/core'

/** What systemd is told about this process; nothing happens where it did not start the process. */
export interface ServiceManager {
  /** The service works. From then on systemd also hears at intervals that the event loop turns, where it wants to. */
  ready(): Promise<void>
  /** The end has begun. */
  stopping(): Promise<void>
}

/**
 * Speaks to systemd through its program `systemd-notify`, because Node has no datagram sockets of Unix. A message that cannot be sent is logged: systemd
 * ends a service that it does not hear of by itself.
 */
export function openServiceManager(options: {
  /** With `NOTIFY_SOCKET`, and perhaps `WATCHDOG_USEC`, as systemd sets them. */
  readonly environment: NodeJS.ProcessEnv
  readonly clock: Pick<Clock, 'after'>
  readonly log: Pick<Logger, 'warn'>
}): ServiceManager {
  const { clock, environment, log } = options
  if ((environment['NOTIFY_SOCKET'] ?? '') === '') return { ready: () => Promise.resolve(), stopping: () => Promise.resolve() }
  let cancel: (() => void) | undefined
  const say = (...words: readonly string[]): Promise<void> =>
    new Promise((resolve) => {
      execFile('systemd-notify', words, { env: environment, timeout: maxNotifyMs }, (error) => {
        if (error !== null) log.warn({ reason: error.message }, 'systemd could not be told about the state of the service')
        resolve()
      })
    })
  const everyMs = watchdogMs(environment)
  const keepAlive = (): void => {
    cancel = clock.after(everyMs, () => {
      void say('WATCHDOG=1')
      keepAlive()
    })
  }
  return {
    async ready() {
      await say('--ready')
      if (everyMs > 0) keepAlive()
    },
    async stopping() {
      cancel?.()
      await say('STOPPING=1')
    },
  }
}

/** The program waits until systemd has read the message. */
const maxNotifyMs = 5_000

/** Twice in the time after which systemd takes the service for dead; 0 where nobody watches this process. */
function watchdogMs({ WATCHDOG_PID, WATCHDOG_USEC }: NodeJS.ProcessEnv): number {
  const microseconds = Number(WATCHDOG_USEC)
  const meant = WATCHDOG_PID === undefined || WATCHDOG_PID === String(process.pid)
  return meant && Number.isSafeInteger(microseconds) && microseconds > 0 ? microseconds / 2_000 : 0
}
