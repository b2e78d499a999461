import { type Fault, machineOf } from '../fault.ts'

/** Not one byte more fits on the machine's disk, until there is room again. */
export const fullDisk: Fault = {
  name: 'full-disk',
  title: 'disk full, then room again',
  victims: ['server', 'master', 'shadow'],
  lasts: () => ({ forMs: 6_000 }),
  inflict: (scene) => machineOf(scene).fillDisk(),
}
