import { RestError } from '../rest/rest-error.ts'
import type { MasterSide } from './master-side.ts'
import type { PairMember } from './pair-member.ts'

/**
 * Settles when what a master of a pair has changed may be acknowledged. Either its shadow has it; or the shadow is silent, and the cloud side answers through the
 * tunnels of this instance: then no other one has taken over. A master that reaches neither cannot know whether it still is the one.
 *
 * @throws RestError 500 then, with what to do: the change is made here, and lost if the shadow has become the master.
 */
export async function confirmChanges({ installation, settings }: PairMember, master: MasterSide): Promise<void> {
  if (installation.role !== 'master' || settings.peer === undefined) return
  if (await master.shadowHas(installation.revision)) return
  if (await installation.isServing()) return
  const { host, port } = settings.peer
  throw new RestError(
    500,
    'RUNTIME_FAILURE',
    `the change is made on this instance alone: neither its shadow ${host}:${port} nor the cloud side can be reached. It will be gone if the shadow has become the master meanwhile; check the network, and look at the change again when both are connected`,
  )
}
