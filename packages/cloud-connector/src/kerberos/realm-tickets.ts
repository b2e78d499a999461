import { rm } from 'node:fs/promises'
import { type Clock, ConnectivityError, type Logger } from '@sallyport/core'
import { maxTicketPlaces, maxWaitingTickets, serviceLogonRetryMs, ticketIdleMs, ticketMs } from '../limits.ts'
import type { KerberosLogon, KerberosTickets } from './kerberos-tickets.ts'
import { createLogonFolder, type LogonFolder } from './logon-folder.ts'
import { createPlaces } from './places.ts'
import { startTokenProcess, type TokenProcess } from './token-process.ts'
import { readUserPrincipal } from './user-principal.ts'

/** Tickets of one log-on, with the processes and files behind them. */
export interface RealmTickets extends KerberosTickets {
  /** Gives processes and files up as soon as no ticket is being made. Who still asks gets one. */
  retire(): void
  /** Gives everything up now. Tickets that are being made fail. */
  close(): Promise<void>
}

/** What tickets are made with. */
export interface TicketSurroundings {
  /** Folder that nobody else may write to. */
  readonly folder: () => Promise<string>
  readonly searchPath: string
  readonly clock: Clock
  readonly log: Logger
}

/**
 * Makes tickets with MIT Kerberos: `kinit` logs the service user on, `kvno` gets the ticket on behalf of the user into a cache of its own, a child process turns
 * that into a token. Nothing is started or written before the first ticket, and everything is removed when none has been asked for a while.
 */
export function createRealmTickets(logon: KerberosLogon, surroundings: TicketSurroundings): RealmTickets {
  const { clock, log, searchPath } = surroundings
  const { settings } = logon
  const places = createPlaces({ count: maxTicketPlaces, maxWaiting: maxWaitingTickets })
  const closing = new AbortController()
  const processes = new Map<number, TokenProcess>()
  let opening: Promise<LogonFolder> | undefined
  let cancelIdle: (() => void) | undefined
  let retired = false
  let underWay = 0
  /** Why nobody gets a ticket. */
  let problem: string | undefined
  let failure: { readonly error: ConnectivityError; readonly atMs: number } | undefined

  const openFolder = (): Promise<LogonFolder> => {
    opening ??= surroundings
      .folder()
      .then((parent) => createLogonFolder(logon, { parent, searchPath, clock }))
      .catch((error: unknown) => {
        opening = undefined
        throw error
      })
    return opening
  }
  const clear = async (): Promise<void> => {
    for (const each of processes.values()) each.end()
    processes.clear()
    const open = opening
    opening = undefined
    await open
      ?.then((folder) => folder.remove())
      .catch((error: unknown) => log.error({ reason: reasonOf(error) }, 'tickets cannot be removed'))
  }
  const rest = (): void => {
    cancelIdle?.()
    if (underWay > 0) return
    if (retired || closing.signal.aborted) void clear()
    else cancelIdle = clock.after(ticketIdleMs, () => void clear())
  }

  /** Within the time for one ticket, and while nothing is removed. */
  const attempt = async <T>(work: (folder: LogonFolder, signal: AbortSignal) => Promise<T>): Promise<T> => {
    const late = new AbortController()
    const cancelLate = clock.after(ticketMs, () =>
      late.abort(new ConnectivityError('PRINCIPAL_NOT_ISSUED', 'the KDC does not answer in time')),
    )
    underWay++
    try {
      const signal = AbortSignal.any([late.signal, closing.signal])
      return await work(await openFolder(), signal)
    } catch (error) {
      if (ConnectivityError.is(error)) throw error
      log.error({ reason: reasonOf(error) }, 'Kerberos cannot be used')
      throw new ConnectivityError('PRINCIPAL_NOT_ISSUED', 'Kerberos does not work; the log of the connector says why', { cause: error })
    } finally {
      cancelLate()
      underWay--
      rest()
    }
  }

  /** Logs on, but not again and again when that fails: domains lock users out for it. */
  const logOn = async (folder: LogonFolder, signal: AbortSignal): Promise<void> => {
    if (failure !== undefined && clock.now() - failure.atMs < serviceLogonRetryMs) throw failure.error
    try {
      await folder.logOn(signal)
      failure = undefined
    } catch (error) {
      if (ConnectivityError.is(error) && !closing.signal.aborted) {
        if (failure?.error.message !== error.message)
          log.warn({ realm: settings.realm, reason: error.message, ...error.details }, 'the service user cannot be logged on')
        failure = { error, atMs: clock.now() }
        problem = error.message
      }
      throw error
    }
  }

  const processAt = async (place: number, folder: LogonFolder, signal: AbortSignal): Promise<TokenProcess> => {
    const running = processes.get(place)
    if (running?.usable === true) return running
    const started = await startTokenProcess(folder.environment(folder.cacheFor(place)), signal).catch((error: unknown) => {
      problem = reasonOf(error)
      throw error
    })
    processes.set(place, started)
    return started
  }

  return {
    realm: settings.realm,
    get problem() {
      return problem
    },
    ticketFor(user, host) {
      const principal = readUserPrincipal(user, settings)
      const name = host.toLowerCase()
      return attempt(async (folder, signal) => {
        const place = await places.take(signal)
        const cache = folder.cacheFor(place)
        try {
          await logOn(folder, signal)
          await folder.delegate(principal, `HTTP/${name}`, cache, signal)
          const process = await processAt(place, folder, signal)
          const token = await process.tokenFor(`HTTP@${name}`, signal)
          problem = undefined
          return token
        } catch (error) {
          if (ConnectivityError.is(error) && error.details['kerberos'] !== undefined) {
            log.info({ realm: settings.realm, reason: error.message, ...error.details }, 'no ticket for a user')
            if (error.details['everybody'] === true) problem = error.message
          }
          throw error
        } finally {
          await rm(cache.slice('FILE:'.length), { force: true })
          places.give(place)
        }
      })
    },
    explain(user) {
      try {
        readUserPrincipal(user, settings)
        return undefined
      } catch (error) {
        return reasonOf(error)
      }
    },
    async check() {
      try {
        return await attempt(async (folder, signal) => {
          const place = await places.take(signal)
          try {
            await processAt(place, folder, signal)
            await folder.checkPrograms(signal)
            await logOn(folder, signal)
            problem = undefined
            return undefined
          } finally {
            places.give(place)
          }
        })
      } catch (error) {
        problem = reasonOf(error)
        return problem
      }
    },
    retire() {
      retired = true
      rest()
    },
    async close() {
      retired = true
      closing.abort(new ConnectivityError('PRINCIPAL_NOT_ISSUED', 'the connector is being stopped'))
      cancelIdle?.()
      await clear()
    },
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown'
}
