import { ConnectivityError } from '@sallyport/core'
import { firstRetryMs, restoreHoldMs } from '../limits.ts'
import { invalidRequest, RestError } from '../rest/rest-error.ts'
import type { PeerLogOn, PeerStatus, ShadowState } from './pair-contract.ts'
import { type PairMember, reasonOf, takeoverDelayMs, takesOverWithinMs } from './pair-member.ts'

/** What a shadow does about its master. */
export interface ShadowSide {
  readonly state: ShadowState
  /** Why it is not ready, for people. */
  readonly message: string | undefined
  /** Of the product, as the master has told it. */
  readonly masterVersion: string | undefined
  /** Has just become a shadow, or been started as one: has not seen the master yet. */
  begin(): void
  /** Has become the master: misses none any more. */
  end(): void
  /** Is no part of a pair any more. */
  forget(): void
  /** Meets the master, which is told where `own` is at the first contact, as `user` wants it. @throws RestError 400, 409, 500. */
  connect(user: string, logOn: PeerLogOn | undefined, own: OwnPlace): Promise<void>
  disconnect(user: string): Promise<void>
  /** The master starts again with a restored backup: nothing is taken over until it is back with that, within a bound. */
  awaitRestore(): void
  /** Tells the master that this instance is being stopped, and does not take over any more. Never fails. */
  takeLeave(): Promise<void>
  /** Gets the configuration of the master. @throws ConnectivityError when it cannot be had or taken over. */
  fetch(): Promise<void>
  /** Checks the master, and lets the role be taken over when that has to be. Returns when to look again. */
  look(takeOver: () => Promise<boolean>): Promise<number>
}

/** Where the master finds this instance. */
interface OwnPlace {
  readonly port: number
  readonly certificate: string
}

/** Makes the side of the shadow. */
export function createShadowSide(member: PairMember): ShadowSide {
  const { installation, link } = member
  let state: ShadowState = 'INITIAL'
  let message: string | undefined
  let masterVersion: string | undefined
  let lostSinceMs: number | undefined
  /** What the master last said it has; a shadow that knows it lacks something does not take over. */
  let masterRevision = -1
  /** Whether whoever answered last was not the master that this shadow has met: then nobody knows what the master has acknowledged since. */
  let isStranger = false
  let heldUntilMs = -Infinity

  const fetch = async (): Promise<void> => {
    const snapshot = await link.snapshot()
    masterRevision = Math.max(masterRevision, snapshot.revision)
    await installation.apply(snapshot)
    heldUntilMs = -Infinity
    await member.save({ appliedRevision: snapshot.revision, appliedDigest: await installation.digest() })
  }

  const follow = async (master: PeerStatus): Promise<void> => {
    masterRevision = master.revision
    const { appliedDigest, appliedRevision, term } = member.settings
    try {
      if (master.revision !== appliedRevision || master.digest !== appliedDigest) await fetch()
      if (term !== master.term) await member.save({ term: master.term })
    } catch (error) {
      message = `the configuration of the master could not be taken over: ${reasonOf(error)}`
      member.report(error)
    }
  }

  /** Only silence makes a shadow take over: a master that answers, whatever it says, is there. */
  const miss = async (error: unknown, takeOver: () => Promise<boolean>): Promise<number> => {
    const reason = reasonOf(error)
    message = reason
    if (!isSilence(error)) {
      if (state !== 'DISCONNECTED') member.tell('problem', `the master refuses this shadow: ${reason}`)
      state = 'DISCONNECTED'
      lostSinceMs = undefined
      isStranger ||= ConnectivityError.is(error, 'PEER_UNTRUSTED')
      return member.intervalMs
    }
    state = 'LOST'
    if (lostSinceMs === undefined) {
      lostSinceMs = member.elapsed()
      member.tell('problem', `the master is not reachable: ${reason}`)
    }
    const waitMs = lostSinceMs + takeoverDelayMs(member.settings) - member.elapsed()
    if (waitMs > 0) return Math.min(waitMs, firstRetryMs)
    const obstacle = obstacleToTakeOver() ?? ((await takeOver()) ? undefined : 'it cannot open a tunnel either')
    if (obstacle !== undefined) message = `${reason}; this instance does not take over, because ${obstacle}`
    return member.intervalMs
  }
  /** It may be the master that was right, and its last configuration is not here. */
  const obstacleToTakeOver = (): string | undefined => {
    if (member.elapsed() < heldUntilMs) return 'the master restores a backup and starts again'
    if (isStranger) return 'the master has shown another certificate since it last checked it; connect it again with user and password'
    if (masterRevision === member.settings.appliedRevision) return undefined
    if (masterRevision !== -1) return 'the last changes of the master have not reached it'
    return 'it has not seen the master since it started; change its role if the master does not come back'
  }

  /** Meets the master, unless both know each other and nobody gives a password. */
  const introduce = async (user: string, logOn: PeerLogOn | undefined, own: OwnPlace): Promise<void> => {
    if (logOn === undefined) return
    const { checkIntervalInSeconds, ownHost, takeoverDelayInSeconds } = member.settings.shadow
    const request = { ...own, host: ownHost, version: installation.version, checkIntervalInSeconds, takeoverDelayInSeconds }
    await member.save({ peer: await link.introduce(request, logOn), appliedRevision: -1 }, user)
  }

  return {
    get state() {
      return state
    },
    get message() {
      return message
    },
    get masterVersion() {
      return masterVersion
    },
    begin() {
      const { looksAfter, peer } = member.settings
      state = peer !== undefined && looksAfter ? 'READY' : 'DISCONNECTED'
      message = undefined
      lostSinceMs = undefined
      masterRevision = -1
      isStranger = false
      masterVersion = undefined
    },
    end() {
      lostSinceMs = undefined
    },
    forget() {
      state = 'INITIAL'
      masterVersion = undefined
    },
    async connect(user, logOn, own) {
      const { peer: known, shadow } = member.settings
      if (shadow.masterHost === '' || shadow.masterPort === 0) throw invalidRequest('masterHost and masterPort have to be set first')
      const same = known?.host === shadow.masterHost && known.port === shadow.masterPort
      if (!same && logOn === undefined) throw invalidRequest('user and password of the master are needed at the first connect')
      const stateBefore = state
      state = 'HANDSHAKE'
      try {
        await introduce(user, logOn, own)
        state = 'INITSYNC'
        await fetch()
        // From here on it does, before it says so itself.
        const master = await member.ask({ takesOverWithinMs: takesOverWithinMs(member.settings) })
        masterRevision = master.revision
        isStranger = false
        masterVersion = master.version
        await member.save({ term: master.term, looksAfter: true }, user)
        state = 'READY'
        message = undefined
      } catch (error) {
        // A shadow that was connected stays so when somebody mistypes a password.
        const stays = (stateBefore === 'READY' || stateBefore === 'LOST') && state === 'HANDSHAKE'
        state = stays ? stateBefore : 'DISCONNECTED'
        message = reasonOf(error)
        throw error instanceof RestError ? error : new RestError(500, 'RUNTIME_FAILURE', message)
      }
    },
    async disconnect(user) {
      await member.save({ looksAfter: false }, user)
      // The master need not fear a take-over any more. Unheard, it goes on doing so for its time.
      if (state === 'READY') await member.ask().catch(() => undefined)
      state = 'DISCONNECTED'
      lostSinceMs = undefined
    },
    awaitRestore() {
      heldUntilMs = member.elapsed() + restoreHoldMs
    },
    async takeLeave() {
      // After a start it does not take over before it has seen its master again.
      if (state === 'READY') await member.ask({ takesOverWithinMs: 0 }).catch(() => undefined)
    },
    fetch,
    async look(takeOver) {
      let master: PeerStatus
      try {
        master = await member.ask()
      } catch (error) {
        return await miss(error, takeOver)
      }
      if (lostSinceMs !== undefined) member.tell('resolved', 'the master answers again')
      lostSinceMs = undefined
      isStranger = false
      state = 'READY'
      masterVersion = master.version
      message = master.role === 'master' ? undefined : 'the other instance is no master either; change the role of one of the two'
      if (master.role === 'master') await follow(master)
      return member.intervalMs
    },
  }
}

function isSilence(error: unknown): boolean {
  return ConnectivityError.is(error, 'PEER_UNREACHABLE') || ConnectivityError.is(error, 'DEADLINE_EXCEEDED')
}
