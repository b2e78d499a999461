import { RestError } from '../rest/rest-error.ts'
import type { MasterSide } from './master-side.ts'
import type { PairMember } from './pair-member.ts'

/**
 * Settles when what a master of a pair has changed may be acknowledged. Either its shadow has it; or the shadow has been silent for longer than it needs to take
 * over, and the cloud side answers through the tunnels of this instance: then no other one has taken over. Until then, and when it reaches neither, a master
 * cannot know whether it will be the one.
 *
 * @throws RestError 500 then, with what to do: the change is made here, and lost if the shadow has become the master.
 */
export async function confirmChanges({ installation, settings }: PairMember, master: MasterSide): Promise<void> {
  if (installation.role !== 'master' || settings.peer === undefined) return
  if (await master.shadowHasAll()) return
  const fencedMs = installation.wantsTunnels ? master.fenceMs : 0
  if (fencedMs === 0 && (await installation.isServing())) return
  const { host, port } = settings.peer
  if (fencedMs > 0)
    throw new RestError(
      500,
      'RUNTIME_FAILURE',
      `the change is made on this instance alone: its shadow ${host}:${port} cannot be reached, and may take over within ${Math.ceil(fencedMs / 1000)} s. It will be gone if the shadow does; look at the change again then, or when both are connected`,
    )
  throw new RestError(
    500,
    'RUNTIME_FAILURE',
    `the change is made on this instance alone: neither its shadow ${host}:${port} nor the cloud side can be reached. It will be gone if the shadow has become the master meanwhile; check the network, and look at the change again when both are connected`,
  )
}
