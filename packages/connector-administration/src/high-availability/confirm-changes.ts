import { RestError } from '../rest/rest-error.ts'
import type { MasterSide } from './master-side.ts'
import type { PairMember } from './pair-member.ts'

/**
 * Settles when what a master of a pair has changed may be acknowledged. Either its shadow has it; or the shadow has been silent for longer than it needs to take
 * over, and the cloud side answers through the tunnels of this instance: then no other one has taken over. Until then, and when it reaches neither, a master
 * cannot know whether it will be the one.
 *
 * @param what the call that has changed something, for people
 * @throws RestError 500 then, with what to do: the change is made here, and lost if the shadow has become the master.
 */
export async function confirmChanges({ installation, now, settings }: PairMember, master: MasterSide, what: string): Promise<void> {
  if (installation.role !== 'master' || settings.peer === undefined) return
  if (await master.shadowHasAll()) return
  const fencedMs = installation.wantsTunnels ? master.fenceMs : 0
  if (fencedMs === 0 && (await installation.isServing())) return
  const shadow = `its shadow ${settings.peer.host}:${settings.peer.port}`
  const made = `the change is made and in force here (${what}), but nobody else has it:`
  const waits = Math.ceil(fencedMs / 1000)
  const until = new Date(now() + fencedMs).toISOString().replace(/\.\d+Z$/, 'Z')
  if (fencedMs > 0)
    throw unconfirmed(
      `${made} ${shadow} cannot be reached, and may take over within ${waits} s, until ${until}. It will be gone if the shadow does`,
      `repeat this change, or make any other, in ${waits} s or as soon as the shadow is back: ${confirmsAll}. A shadow that is disconnected first ({"op":"DISCONNECT"} to its …/ha/shadow/state), or stopped and not killed, holds no change up`,
    )
  throw unconfirmed(
    `${made} neither ${shadow} nor the cloud side can be reached. It will be gone if the shadow has become the master meanwhile`,
    `check the network of this machine; repeat this change, or make any other, when the shadow or the cloud side can be reached: ${confirmsAll}`,
  )
}

const confirmsAll = 'an answer without this error confirms everything that was changed before'

function unconfirmed(message: string, next: string): RestError {
  return new RestError(500, 'RUNTIME_FAILURE', message, next)
}
