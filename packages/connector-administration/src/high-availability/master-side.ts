import { randomBytes } from 'node:crypto'
import { underSignal } from '@sallyport/core'
import { confirmPatienceMs, lostAfterIntervals, maxFenceMs, maxRetryMs } from '../limits.ts'
import { conflict } from '../rest/rest-error.ts'
import type { MasterState, PeerStatus, ShadowRequest } from './pair-contract.ts'
import { type PairMember, reasonOf, takesOverWithinMs } from './pair-member.ts'

/** What a master does for its shadow. */
export interface MasterSide {
  readonly state: MasterState
  /** Why the shadow lacks the configuration, for people. */
  readonly problem: string | undefined
  /** Whether the shadow has been heard of within three of its check intervals. */
  readonly isShadowThere: boolean
  /** Has just become the master: knows nothing of a shadow yet. */
  begin(): void
  /** The other instance has asked. */
  hear(from: PeerStatus): void
  /** How long from now on the shadow may still be about to take over, without having been reached; 0 when it would have done so. */
  readonly fenceMs: number
  /** Whether the other instance has everything, as far as this one knows; keys and trust lists, too. */
  isShared(): Promise<boolean>
  /** Takes a shadow that comes from `address`, introduced by `user`. @throws RestError 409 when it may not be one. */
  register(request: ShadowRequest, from: { readonly address: string; readonly user: string }): Promise<{ readonly secret: string }>
  /** Whether the shadow has got what is here now, configuration and material, within some seconds. */
  shadowHasAll(): Promise<boolean>
  /** Sees to it that the shadow has the configuration. Returns when to look again. */
  bringUpToDate(): Promise<number>
}

/** Makes the side of the master. */
export function createMasterSide(member: PairMember): MasterSide {
  const { installation, link } = member
  let binding = false
  let lastHeardMs = -Infinity
  // A shadow that met this instance before it was started may be counting already, with times that are not known yet.
  let lastReachedMs = member.elapsed()
  let reportedMs: number | undefined
  let pushedRevision = -1
  /** Of the material that went with it; renewed certificates and trust lists change no revision. */
  let pushedDigest: string | undefined
  /** A push that begins after somebody has asked brings what there was then. */
  let asked = 0
  let broughtTo = 0
  let pushProblem: string | undefined
  let pushing: Promise<boolean> | undefined

  const isShadowThere = (): boolean => {
    const { peer } = member.settings
    return peer !== undefined && member.elapsed() - lastHeardMs < lostAfterIntervals * peer.checkIntervalInSeconds * 1000
  }

  const requireAcceptable = (request: ShadowRequest, address: string): void => {
    const { master, peer } = member.settings
    if (!master.haEnabled) throw conflict('high availability is not enabled on the master')
    const allowed = master.allowedShadowHost
    if (allowed !== '' && allowed.toLowerCase() !== request.host.toLowerCase() && allowed !== address)
      throw conflict(`the master does not permit ${request.host} as its shadow`)
    if (peer !== undefined && isShadowThere() && (peer.host !== request.host || peer.port !== request.port))
      throw conflict(`${peer.host}:${peer.port} is the shadow already; there can be one`)
    if (request.version !== installation.version)
      throw conflict(`master and shadow have different versions: ${installation.version} and ${request.version}`)
  }

  /** Several changes may go with one push, and everybody waits for the one that is under way. */
  const push = (): Promise<boolean> => {
    pushing ??= pushOnce().finally(() => (pushing = undefined))
    return pushing
  }
  const pushOnce = async (): Promise<boolean> => {
    const { revision } = installation
    const begun = asked
    try {
      // Of before the shadow fetches: it gets this or what is newer.
      const digest = await installation.digest()
      await link.tellChange()
      pushedRevision = revision
      pushedDigest = digest
      broughtTo = begun
      lastReachedMs = member.elapsed()
      if (pushProblem !== undefined) member.tell('resolved', 'the shadow has the configuration again')
      pushProblem = undefined
      return true
    } catch (error) {
      // It may have been taken over all the same.
      pushedDigest = undefined
      const reason = reasonOf(error)
      if (pushProblem === undefined) member.tell('problem', `the configuration could not be pushed to the shadow: ${reason}`)
      pushProblem = reason
      return false
    }
  }
  const isUpToDate = async (): Promise<boolean> =>
    pushedRevision === installation.revision && pushedDigest === (await installation.digest())

  return {
    get state() {
      if (member.settings.peer === undefined) return 'ALONE'
      if (binding && isShadowThere()) return 'BINDING'
      return isShadowThere() && pushProblem === undefined ? 'CONNECTED' : 'BROKEN'
    },
    get problem() {
      return pushProblem
    },
    get isShadowThere() {
      return isShadowThere()
    },
    begin() {
      lastHeardMs = -Infinity
      // The former master is no shadow that could take over until it says so.
      lastReachedMs = -Infinity
      pushedRevision = -1
      pushedDigest = undefined
    },
    get fenceMs() {
      const windowMs = Math.min(maxFenceMs, reportedMs ?? takesOverWithinMs(member.settings))
      return Math.max(0, lastReachedMs + windowMs - member.elapsed())
    },
    isShared: async () => member.settings.peer === undefined || (await isUpToDate()),
    hear(from) {
      lastHeardMs = member.elapsed()
      binding = false
      if (from.role !== 'shadow') return
      lastReachedMs = lastHeardMs
      reportedMs = from.takesOverWithinMs ?? reportedMs
    },
    async register(request, { address, user }) {
      requireAcceptable(request, address)
      binding = true
      const secret = randomBytes(32).toString('base64url')
      const { certificate, checkIntervalInSeconds, host, port, takeoverDelayInSeconds } = request
      await member.save({ peer: { host, port, certificate, checkIntervalInSeconds, takeoverDelayInSeconds, secret } }, user)
      lastHeardMs = member.elapsed()
      lastReachedMs = lastHeardMs
      reportedMs = undefined
      pushedRevision = installation.revision
      pushedDigest = await installation.digest()
      return { secret }
    },
    async shadowHasAll() {
      if (!isShadowThere()) return false
      const patience = AbortSignal.timeout(confirmPatienceMs)
      const getting = async (): Promise<boolean> => {
        if (await isUpToDate()) return true
        const wanted = ++asked
        // A push that was under way may have been of what was before.
        const isBrought = (): boolean => broughtTo >= wanted
        while (!isBrought() && !patience.aborted) if (!(await push())) return false
        return isBrought()
      }
      return await underSignal(getting(), patience, 'a push to the shadow').catch(() => false)
    },
    async bringUpToDate() {
      const upToDate = (await isUpToDate()) || (await push())
      return upToDate ? member.intervalMs : Math.min(member.intervalMs, maxRetryMs)
    },
  }
}
