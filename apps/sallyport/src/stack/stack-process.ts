import { ConnectivityError, type Logger } from '@sallyport/core'
import { askControl, findRunning } from '../control/control-client.ts'
import { readControlRecords, removeControlRecord, writeControlRecord } from '../control/control-record.ts'
import { startControlServer } from '../control/control-server.ts'
import type { EventLog } from '../trace/event-log.ts'
import type { DataFolder } from './data-folder.ts'
import type { PartStatus, RunningPart } from './part.ts'

/** Parts that run in this process and answer to the other commands of this installation. */
export interface StackProcess {
  status(): Promise<readonly PartStatus[]>
  /** Settles when somebody has asked for the end: `sallyport stop`, or {@link stop}. */
  readonly stopRequested: Promise<void>
  stop(): void
  /** Ends the parts in reverse order, each with its grace for requests in flight, then removes the control record. */
  close(): Promise<void>
}

const graceMs = 5_000

/**
 * Starts parts one after the other and registers the process under `name`. When one fails to start, those already running are ended again.
 *
 * @throws ConnectivityError `PORT_IN_USE` when a process of that name runs already.
 */
export async function startStackProcess(options: {
  readonly name: string
  readonly folder: DataFolder
  readonly events: EventLog
  readonly log: Logger
  readonly starts: readonly (() => Promise<RunningPart>)[]
  readonly now: () => number
}): Promise<StackProcess> {
  const { name, folder, events, log, starts } = options
  await refuseSecondStart(folder, name)
  const parts: RunningPart[] = []
  const closeParts = async (): Promise<void> => {
    for (const part of parts.toReversed()) {
      try {
        await withinPatience(part.close(graceMs))
      } catch (error) {
        log.error(
          { code: ConnectivityError.is(error) ? error.code : 'SERVICE_UNAVAILABLE', part: part.role, error: String(error) },
          'part did not close cleanly',
        )
      }
    }
  }
  let stop = (): void => {}
  const stopRequested = new Promise<void>((resolve) => {
    stop = resolve
  })
  const status = async (): Promise<readonly PartStatus[]> => (await Promise.all(parts.map((part) => part.status()))).flat()
  try {
    for (const start of starts) parts.push(await start())
    const control = await startControlServer({
      status: async () => ({ parts: await status() }),
      stop: async () => {
        stop()
        return {}
      },
      trace: async ({ correlationId }) => ({ events: typeof correlationId === 'string' ? events.of(correlationId) : [] }),
      ...Object.assign({}, ...parts.map((part) => part.controls)),
    })
    try {
      writeControlRecord(folder, { name, pid: process.pid, url: control.url, secret: control.secret, startedAtMs: options.now() })
    } catch (error) {
      await control.close()
      throw error
    }
    return {
      status,
      stopRequested,
      stop: () => stop(),
      async close() {
        await closeParts()
        await control.close()
        removeControlRecord(folder, name)
      },
    }
  } catch (error) {
    await closeParts()
    throw error
  }
}

/** Longer than any part's own grace; a part that is not done by then is left behind, so that the others and the process still end. */
const patienceMs = 20_000

async function withinPatience(closing: Promise<void>): Promise<void> {
  const late = new ConnectivityError('DEADLINE_EXCEEDED', `did not close within ${patienceMs / 1000} s`)
  let timer: NodeJS.Timeout | undefined
  const patience = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late), patienceMs)
  })
  try {
    await Promise.race([closing, patience])
  } finally {
    clearTimeout(timer)
  }
}

/** One process of a name per folder; the local stack tolerates no other at all. @throws ConnectivityError `PORT_IN_USE`. */
export async function refuseSecondStart(folder: DataFolder, name: string): Promise<void> {
  const other =
    (await readControlRecords(folder)).find((record) => record.name === name) ?? (name === 'dev' ? await findRunning(folder) : undefined)
  if (other === undefined) return
  throw new ConnectivityError('PORT_IN_USE', `"${other.name}" runs already with the data in ${folder.path} (pid ${other.pid})`, {
    details: { next: 'sallyport status, or sallyport stop' },
  })
}

/** Waits until every part that runs with this folder says it is ready. `false` when the time is over before. */
export async function waitUntilReady(
  folder: DataFolder,
  options: { readonly timeoutMs: number; readonly alive: () => boolean },
): Promise<boolean> {
  const deadline = performance.now() + options.timeoutMs
  while (performance.now() < deadline && options.alive()) {
    for (const record of await readControlRecords(folder)) {
      try {
        const { parts } = await askControl<{ parts: readonly PartStatus[] }>(record, 'status')
        if (parts.length > 0 && parts.every((part) => part.ready)) return true
      } catch {
        // It is starting or just ended; the next round knows.
      }
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
  return false
}

const pollMs = 100
