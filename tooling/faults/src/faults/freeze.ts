import { type Fault, machineOf, untilTakenOver } from '../fault.ts'

/** The process stands still and keeps its connections, as on a machine that is paused or swaps itself to death. */
export const freeze: Fault = {
  name: 'freeze',
  title: 'frozen (SIGSTOP, SIGCONT)',
  victims: ['server', 'master', 'shadow'],
  lasts: untilTakenOver(6_000, 60_000),
  inflict(scene) {
    const machine = machineOf(scene)
    machine.freeze()
    return () => machine.thaw()
  },
}
