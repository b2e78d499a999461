import { type Fault, machineOf, untilTakenOver } from '../fault.ts'

/** The process is gone, without a word; it is started again when the fault is over. */
export const kill: Fault = {
  name: 'kill',
  title: 'killed (SIGKILL), started again',
  victims: ['server', 'master', 'shadow'],
  kills: true,
  lasts: untilTakenOver(500, 60_000),
  async inflict(scene) {
    const machine = machineOf(scene)
    await machine.kill()
    return () => machine.start()
  },
}
