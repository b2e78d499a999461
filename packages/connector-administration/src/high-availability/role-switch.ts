import { conflict } from '../rest/rest-error.ts'
import type { MasterSide } from './master-side.ts'
import type { PeerStatus } from './pair-contract.ts'
import { type PairMember, reasonOf } from './pair-member.ts'
import type { ShadowSide } from './shadow-side.ts'

/** How an instance of a pair changes its role, as `user` wants it. Each has to happen in turn with everything else that changes it. */
export interface RoleSwitch {
  /** Of two masters the one that took over later stays. */
  isOutvoted(from: PeerStatus): boolean
  /** As `isOutvoted`, by the answer of the other instance; nobody is by one that does not answer. */
  isOutvotedByPeer(): Promise<boolean>
  /** Shadow: becomes the master if it can open a tunnel; tells whether it has. */
  takeOver(user: string): Promise<boolean>
  /** Master: lets the shadow take over, and stays the master when that cannot. @throws RestError 409. */
  handOver(user: string): Promise<void>
  /** Master: closes its tunnels and is a shadow from now on. Clients of service channels may finish for the grace period. */
  giveUp(user: string): Promise<void>
}

/** Makes the change of roles of a pair, between its two sides. */
export function createRoleSwitch(
  member: PairMember,
  { master, shadow }: { readonly master: MasterSide; readonly shadow: ShadowSide },
): RoleSwitch {
  const { installation, link } = member
  const isOutvoted = (from: PeerStatus): boolean =>
    installation.role === 'master' && from.role === 'master' && from.term > member.settings.term

  const isMasterThere = async (): Promise<boolean> => {
    const other = await member.ask().catch(() => undefined)
    return other?.role === 'master'
  }

  const becomeMaster = async (term: number, user: string): Promise<void> => {
    await member.save({ term })
    await installation.setRole('master', user)
    shadow.end()
    master.begin()
    member.tell('role', 'this instance is the master now')
  }

  /** The other instance's configuration is going to replace the one here, which may have what nobody else has. */
  const keepOwn = async (user: string): Promise<void> => {
    const { revision } = installation
    const other = await member.ask().catch(() => undefined)
    const { term } = member.settings
    const keptAt = await installation.keepReplaced({ atMs: member.now(), term })
    const theirs = other === undefined ? 'that does not answer' : `with revision ${other.revision} of term ${other.term}`
    member.audit(
      `High availability kept revision ${revision} of term ${term} of this instance aside (${keptAt}), which is replaced by the configuration of the other instance ${theirs}`,
      user,
    )
    member.tell('problem', 'this instance had changes that the new master may lack; what it had is kept aside, see the audit log')
  }

  return {
    isOutvoted,
    async isOutvotedByPeer() {
      const other = await member.ask().catch(() => undefined)
      return other !== undefined && isOutvoted(other)
    },
    async takeOver(user) {
      const open = await installation.openTunnels()
      try {
        // Opening may have taken until a broken network was whole again: a master that answers keeps its role, and what it has acknowledged meanwhile.
        if (open === 0 || (await isMasterThere())) return false
        await becomeMaster(member.settings.term + 1, user)
        return true
      } finally {
        if (installation.role !== 'master') {
          await installation.closeTunnels()
          // Those of the master may have been replaced; it need not fear that it is replaced again. Unheard, the next check has to do.
          if (open > 0) await link.ping({ ...(await member.status()), hasClosedTunnels: true }).catch(() => undefined)
        }
      }
    },
    async handOver(user) {
      if (member.settings.peer === undefined) throw conflict('there is no shadow that could take over')
      // From here on no change is accepted that the shadow would not get.
      await installation.setRole('shadow', user)
      try {
        await link.askToTakeOver(user)
      } catch (error) {
        await installation.setRole('master', user)
        throw conflict(`the shadow cannot take over: ${reasonOf(error)}`)
      }
    },
    async giveUp(user) {
      if (installation.role === 'master' && !(await master.isShared())) await keepOwn(user)
      await installation.closeTunnels({ channelGraceMs: member.settings.master.channelGraceInMinutes * 60_000 })
      await installation.setRole('shadow', user)
      await member.save({ looksAfter: true }, user)
      shadow.begin()
      member.tell('role', 'this instance is a shadow now')
    },
  }
}
