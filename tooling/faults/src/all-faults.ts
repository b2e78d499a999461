import type { Fault } from './fault.ts'
import { clockBack, clockForward } from './faults/clock.ts'
import { freeze } from './faults/freeze.ts'
import { fullDisk } from './faults/full-disk.ts'
import { kill } from './faults/kill.ts'
import { deaf, isolated, mute } from './faults/partition.ts'

/** In the order of the table. */
export const allFaults: readonly Fault[] = [kill, freeze, mute, deaf, isolated, clockForward, clockBack, fullDisk]

/** What `--only` calls the rounds in which a connector is killed while it is changed. */
export const tornWritesName = 'torn-writes'

/** What `--only` takes. */
export const faultNames: readonly string[] = [...allFaults.map(({ name }) => name), tornWritesName]
