import { rm } from 'node:fs/promises'
import { type Clock, ConnectivityError, type Logger } from '@sallyport/core'
import { maxTicketPlaces, maxWaitingTickets, ticketIdleMs, ticketMs } from '../limits.ts'
import { isForEverybody, missingProblem } from './kerberos-problem.ts'
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

/** A folder, and the processes that look into it, by their places. */
interface Workshop {
  readonly folder: LogonFolder
  readonly processes: Map<number, TokenProcess>
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
  let opening: Promise<Workshop> | undefined
  let cancelIdle: (() => void) | undefined
  let retired = false
  let underWay = 0
  /** Why nobody gets a ticket. */
  let problem: string | undefined
  let lastFailure: string | undefined

  const onLogonFailed = ({ details, message }: ConnectivityError): void => {
    if (lastFailure !== message) log.warn({ realm: settings.realm, reason: message, ...details }, 'the service user cannot be logged on')
    lastFailure = message
    problem = message
  }
  const openWorkshop = (): Promise<Workshop> => {
    opening ??= surroundings
      .folder()
      .then((parent) => createLogonFolder(logon, { parent, searchPath, clock, onLogonFailed }))
      .then((folder) => ({ folder, processes: new Map<number, TokenProcess>() }))
      .catch((error: unknown) => {
        opening = undefined
        throw error
      })
    return opening
  }
  const clear = async (): Promise<void> => {
    const open = opening
    opening = undefined
    await open
      ?.then(({ folder, processes }) => {
        for (const each of processes.values()) each.end()
        return folder.remove()
      })
      .catch((error: unknown) => log.error({ reason: reasonOf(error) }, 'tickets cannot be removed'))
  }
  const rest = (): void => {
    cancelIdle?.()
    if (underWay > 0) return
    if (retired || closing.signal.aborted) void clear()
    else
      cancelIdle = clock.after(ticketIdleMs, () => {
        if (underWay === 0) void clear()
      })
  }

  /** Within the time for one ticket, as long as `caller` waits for it, and while nothing is removed. */
  const attempt = async <T>(caller: AbortSignal, work: (workshop: Workshop, signal: AbortSignal) => Promise<T>): Promise<T> => {
    const late = new AbortController()
    const cancelLate = clock.after(ticketMs, () => late.abort(missingProblem('the KDC does not answer in time')))
    underWay++
    cancelIdle?.()
    try {
      const signal = AbortSignal.any([late.signal, closing.signal, caller])
      return await work(await openWorkshop(), signal)
    } catch (error) {
      // It says nothing about Kerberos that somebody has gone.
      caller.throwIfAborted()
      if (ConnectivityError.is(error)) {
        if (isForEverybody(error)) problem = error.message
        throw error
      }
      log.error({ reason: reasonOf(error) }, 'Kerberos cannot be used')
      problem = 'Kerberos does not work; the log of the connector says why'
      throw new ConnectivityError('PRINCIPAL_NOT_ISSUED', problem, { cause: error })
    } finally {
      cancelLate()
      underWay--
      rest()
    }
  }

  const processAt = async (place: number, { folder, processes }: Workshop, signal: AbortSignal): Promise<TokenProcess> => {
    const running = processes.get(place)
    if (running?.usable === true) return running
    const started = await startTokenProcess(folder.environment(folder.cacheFor(place)), signal)
    processes.set(place, started)
    if (closing.signal.aborted) started.end()
    return started
  }

  return {
    realm: settings.realm,
    get problem() {
      return problem
    },
    ticketFor(user, host, caller) {
      const principal = readUserPrincipal(user, settings)
      const name = host.toLowerCase()
      return attempt(caller, async (workshop, signal) => {
        const { folder } = workshop
        const place = await places.take(signal)
        const cache = folder.cacheFor(place)
        try {
          await folder.delegate(principal, `HTTP/${name}`, cache, signal)
          const process = await processAt(place, workshop, signal)
          const token = await process.tokenFor(`HTTP@${name}`, signal)
          problem = undefined
          lastFailure = undefined
          return token
        } catch (error) {
          if (!caller.aborted && ConnectivityError.is(error) && error.details['kerberos'] !== undefined && error.message !== lastFailure)
            log.info({ realm: settings.realm, reason: error.message, ...error.details }, 'no ticket for a user')
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
    async check(caller) {
      try {
        return await attempt(caller, async (workshop, signal) => {
          const { folder } = workshop
          const place = await places.take(signal)
          try {
            await processAt(place, workshop, signal)
            await folder.checkPrograms(signal)
            await folder.serviceLogon.prove(signal)
            problem = undefined
            lastFailure = undefined
            return undefined
          } finally {
            places.give(place)
          }
        })
      } catch (error) {
        caller.throwIfAborted()
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
