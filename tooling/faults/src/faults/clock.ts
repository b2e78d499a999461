import { type Fault, machineOf } from '../fault.ts'
import { timeOfDay } from '../time-of-day.ts'
import { until } from '../wait.ts'

const day = 86_400
/** The time that a server says has whole seconds, and is looked up once a second. */
const toleranceMs = 5_000

/** The clock of the machine is a day off, and is put right again: two jumps, one in each direction. */
function clock(name: string, title: string, offsetSeconds: number): Fault {
  return {
    name,
    title,
    victims: ['server', 'master', 'shadow'],
    needsClock: true,
    lasts: () => ({ forMs: 6_000 }),
    async inflict(scene) {
      const machine = machineOf(scene)
      const set = async (seconds: number): Promise<void> => {
        machine.setClock(seconds)
        const isSet = async (): Promise<boolean> =>
          Math.abs((await timeOfDay(machine.address, machine.port)) - Date.now() - seconds * 1_000) < toleranceMs
        await until(`the clock of ${machine.name} is set`, isSet, 10_000)
      }
      await set(offsetSeconds)
      return () => set(0)
    },
  }
}

export const clockForward: Fault = clock('clock-forward', 'clock a day ahead, then right again', day)
export const clockBack: Fault = clock('clock-back', 'clock a day behind, then right again', -day)
