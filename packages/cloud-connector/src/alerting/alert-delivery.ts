import { type Clock, ConnectivityError, type Logger, pause } from '@sallyport/core'
import { alertAttempts, alertDeliveryMs, alertRetryMs, maxWaitingAlerts } from '../limits.ts'
import type { Alert } from './alert.ts'

/** One way to tell somebody. Rejects when it is not certain that the alert has been taken. */
export type SendAlert = (alert: Alert, signal: AbortSignal) => Promise<void>

/** Sends alerts one after the other, so that they arrive in order. */
export interface AlertDelivery {
  /** Returns at once. */
  deliver(alert: Alert): void
  /** Settles when nothing waits to be sent. */
  idle(): Promise<void>
  /** Gives up what waits. */
  close(): void
}

/**
 * Tries each alert a few times, longer and longer apart, and then leaves it to the list. `send` is asked for at each attempt: `undefined` means that nobody wants
 * to be told, and what waits is dropped.
 */
export function createAlertDelivery(options: {
  /** For the log: `mail`, `webhook`. */
  readonly name: string
  readonly send: () => SendAlert | undefined
  readonly clock: Clock
  readonly log: Logger
}): AlertDelivery {
  const { clock, log, name } = options
  const waiting: Alert[] = []
  const closing = new AbortController()
  let running: Promise<void> | undefined

  /** Why it has failed. */
  const attempt = async (send: SendAlert, alert: Alert): Promise<string | undefined> => {
    const late = new AbortController()
    const cancel = clock.after(alertDeliveryMs, () => late.abort(new DOMException('late', 'TimeoutError')))
    try {
      await send(alert, AbortSignal.any([late.signal, closing.signal]))
      return undefined
    } catch (error) {
      return error instanceof Error ? error.message : 'unknown'
    } finally {
      cancel()
    }
  }
  const work = async (): Promise<void> => {
    for (let alert = waiting.shift(); alert !== undefined && !closing.signal.aborted; alert = waiting.shift()) {
      for (let tries = 1; !closing.signal.aborted; tries++) {
        const send = options.send()
        if (send === undefined) break
        const reason = await attempt(send, alert)
        if (reason === undefined) break
        if (tries >= alertAttempts) {
          log.error({ way: name, alert: alert.type, reason }, 'an alert could not be sent')
          break
        }
        log.warn({ way: name, alert: alert.type, reason }, 'an alert is sent again in a moment')
        try {
          await pause(clock, alertRetryMs * 5 ** (tries - 1), closing.signal, 'send an alert again')
        } catch {
          // Nobody waits for it any more.
        }
      }
    }
    running = undefined
  }
  return {
    deliver(alert) {
      if (closing.signal.aborted || options.send() === undefined) return
      if (waiting.length >= maxWaitingAlerts) {
        log.error({ way: name, alert: alert.type }, 'too many alerts wait to be sent')
        return
      }
      waiting.push(alert)
      running ??= work()
    },
    idle: () => running ?? Promise.resolve(),
    close: () => closing.abort(new ConnectivityError('ABORTED', 'nobody sends alerts any more')),
  }
}
