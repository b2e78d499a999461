import { type Fault, machineOf } from '../fault.ts'

const day = 86_400

/** The clock of the machine is a day off, and is put right again: two jumps, one in each direction. */
function clock(name: string, title: string, offsetSeconds: number): Fault {
  return {
    name,
    title,
    victims: ['server', 'master', 'shadow'],
    needsClock: true,
    lasts: () => ({ forMs: 6_000 }),
    inflict(scene) {
      const machine = machineOf(scene)
      machine.setClock(offsetSeconds)
      return () => machine.setClock(0)
    },
  }
}

export const clockForward: Fault = clock('clock-forward', 'clock a day ahead, then right again', day)
export const clockBack: Fault = clock('clock-back', 'clock a day behind, then right again', -day)
