import type { Installation } from './installation.ts'
import type { Machine } from './machine.ts'

/** Who suffers: a role, or the link between the two connectors. */
export type Victim = (typeof victims)[number]

/** As `--of` takes them. */
export const victims = ['server', 'master', 'shadow', 'link'] as const

/** One kind of fault, which can be put on victims and taken away again. */
export interface Fault {
  /** As `--only` takes it. */
  readonly name: string
  /** For the table. */
  readonly title: string
  readonly victims: readonly Victim[]
  /** How long it lasts. `untilServed`: it goes on beyond that until a request succeeds, because the other connector should take over; at most so long. */
  readonly lasts: (victim: Victim) => { readonly forMs: number; readonly untilServedMs?: number }
  /** A process that ends has a moment's audit entries in memory. */
  readonly kills?: true
  /** Only where the clocks of the machines can be set. */
  readonly needsClock?: true
  inflict(scene: Scene): Promise<Mend> | Mend
}

/** Takes a fault away. */
type Mend = () => void | Promise<void>

/** Who is who when a fault begins. */
export interface Scene {
  readonly victim: Victim
  readonly cloud: Machine
  readonly master: Machine
  readonly shadow: Machine
}

export async function sceneOf({ cloud, roles }: Installation, victim: Victim): Promise<Scene> {
  const { master, shadow } = await roles()
  return { victim, cloud, master: master.machine, shadow: shadow.machine }
}

/** The machine that is the victim. @throws Error for the link, which is none. */
export function machineOf({ cloud, master, shadow, victim }: Scene): Machine {
  if (victim === 'link') throw new Error('the link between the connectors is no machine')
  return { server: cloud, master, shadow }[victim]
}

/** Only the master's absence is made up for by somebody else; everybody else's has to end. */
export function untilTakenOver(forMs: number, untilServedMs: number): Fault['lasts'] {
  return (victim) => (victim === 'master' ? { forMs, untilServedMs } : { forMs })
}
