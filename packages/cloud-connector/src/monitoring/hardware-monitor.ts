import { type Clock, ConnectivityError, type Logger } from '@sallyport/core'
import type { MaterialStore } from '../identity/material-store.ts'
import { diskSampleMs, hardwareSampleMs, hardwareSaveMs } from '../limits.ts'
import { createHardwareHistory, type HardwareHistory, type HardwareStatus, type KeptHardware } from './hardware-history.ts'
import type { MachineProbe } from './machine-probe.ts'

const materialName = 'hardware history'

/** Looks at the machine, and remembers a day of it. */
export interface HardwareMonitor {
  readonly status: HardwareStatus
  readonly loadSince: HardwareHistory['loadSince']
  /** Settles when what was seen is kept; works more than once. */
  close(): Promise<void>
}

/** Goes on from what was kept. What cannot be read is begun anew and said; a crash loses what was seen since it was kept last. */
export async function startHardwareMonitor(options: {
  readonly machine: MachineProbe
  readonly material: MaterialStore
  readonly clock: Clock
  readonly log: Logger
}): Promise<HardwareMonitor> {
  const { clock, log, machine, material } = options
  const history = createHardwareHistory(await restore(material, log))
  const cancels: (() => void)[] = []
  let closed = false
  let changed = false
  let saving: Promise<void> = Promise.resolve()

  const every = (stepMs: number, work: () => Promise<void>): void => {
    const at = cancels.length
    const turn = (): void => {
      if (closed) return
      // By the steps of the clock, so that each has one look in it.
      cancels[at] = clock.after(stepMs - (clock.now() % stepMs), turn)
      work().catch((error: unknown) => log.warn({ reason: reasonOf(error) }, 'the machine cannot be looked at'))
    }
    cancels.push(() => {})
    turn()
  }
  const save = (): Promise<void> => {
    saving = saving
      .then(async () => {
        if (!changed) return
        changed = false
        await material.save(materialName, JSON.stringify(history.kept))
      })
      .catch((error: unknown) => log.warn({ reason: reasonOf(error) }, 'the history of the machine is not kept'))
    return saving
  }
  every(hardwareSampleMs, async () => {
    const { own: cpuOwn, total: cpu } = machine.cpu()
    const { heapKb, physicalKb } = await machine.memory()
    changed = true
    history.add(clock.now(), { cpu, cpuOwn, physicalUsedKb: physicalKb.total - physicalKb.free, heapUsedKb: heapKb.used })
  })
  every(diskSampleMs, async () => {
    const { free, total } = await machine.disk()
    changed = true
    history.addDisk(clock.now(), total - free)
  })
  every(hardwareSaveMs, save)
  return {
    get status() {
      return history.status(clock.now())
    },
    loadSince: history.loadSince,
    async close() {
      closed = true
      for (const cancel of cancels) cancel()
      await save()
    },
  }
}

async function restore(material: MaterialStore, log: Logger): Promise<KeptHardware | undefined> {
  try {
    const text = await material.load(materialName)
    return text === undefined ? undefined : (JSON.parse(text) as KeptHardware)
  } catch (error) {
    log.warn({ reason: reasonOf(error) }, 'the history of the machine is begun anew')
    return undefined
  }
}

function reasonOf(error: unknown): string {
  if (ConnectivityError.is(error)) return error.message
  return (error as NodeJS.ErrnoException).code ?? 'unknown'
}
