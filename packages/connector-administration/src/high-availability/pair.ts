import { randomBytes, timingSafeEqual } from 'node:crypto'
import { type Clock, ConnectivityError, type Logger } from '@sallyport/core'
import { firstRetryMs, lostAfterIntervals, maxRetryMs } from '../limits.ts'
import { conflict, forbidden, invalidRequest, RestError } from '../rest/rest-error.ts'
import { defaultHaSettings, type HaSettings, type HaSettingsStore } from './ha-settings.ts'
import type { Installation, Snapshot } from './installation.ts'
import type { Pair, PairNotice, PeerStatus, ServedPair, ShadowState } from './pair-contract.ts'
import type { CallPeer } from './peer-call.ts'
import { createPeerLink } from './peer-link.ts'

/** Opens this side of a pair; nothing is called before `begin`. */
export function createPair(options: {
  readonly store: HaSettingsStore
  readonly installation: Installation
  /** Where the other instance finds this one. */
  readonly own: () => { readonly port: number; readonly certificate: string }
  readonly callPeer: CallPeer
  readonly clock: Clock
  readonly log: Logger
  readonly notice: (notice: PairNotice) => void
}): Pair {
  const { clock, installation, log, store } = options
  const link = createPeerLink(options)
  let shadowState: ShadowState = 'INITIAL'
  let shadowMessage: string | undefined
  let binding = false
  let lastHeardMs = -Infinity
  let lostSinceMs: number | undefined
  /** What the master last said it has; a shadow that knows it lacks something does not take over. */
  let masterRevision = -1
  let pushedRevision = -1
  let pushProblem: string | undefined
  let cancel: (() => void) | undefined
  let closed = false
  let working: Promise<unknown> = Promise.resolve()

  /** Steps that change roles or configuration happen one after the other. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = working.then(work)
    working = done.catch(() => {})
    return done
  }
  const settings = (): HaSettings => store.current
  const status = async (): Promise<PeerStatus> => ({
    role: installation.role,
    term: settings().term,
    revision: installation.revision,
    digest: await installation.digest(),
  })
  const askPing = async (): Promise<PeerStatus> => await link.ping(await status())
  const fetchSnapshot = async (): Promise<void> => applySnapshot(await link.snapshot())
  const applySnapshot = async (snapshot: Snapshot): Promise<void> => {
    masterRevision = Math.max(masterRevision, snapshot.revision)
    await installation.apply(snapshot)
    await store.save({ ...settings(), appliedRevision: snapshot.revision, appliedDigest: await installation.digest() })
  }

  const tell = (kind: PairNotice['kind'], message: string): void => {
    if (kind === 'problem') log.warn({ reason: message }, 'high availability')
    else log.info({ message }, 'high availability')
    options.notice({ kind, message })
  }

  const schedule = (afterMs: number): void => {
    cancel?.()
    if (!closed) cancel = clock.after(afterMs, () => void inTurn(look).catch(report))
  }
  const report = (error: unknown): void => log.error({ reason: reasonOf(error) }, 'high availability')
  const intervalMs = (): number => (settings().peer ?? settings().shadow).checkIntervalInSeconds * 1000

  const becomeMaster = async (term: number): Promise<void> => {
    await store.save({ ...settings(), term })
    await installation.setRole('master')
    lostSinceMs = undefined
    lastHeardMs = -Infinity
    pushedRevision = -1
    tell('role', 'this instance is the master now')
  }
  const becomeShadow = async (): Promise<void> => {
    await installation.closeTunnels()
    await installation.setRole('shadow')
    shadowState = settings().peer === undefined ? 'DISCONNECTED' : 'READY'
    await store.save({ ...settings(), looksAfter: true })
    shadowMessage = undefined
    lostSinceMs = undefined
    masterRevision = -1
    tell('role', 'this instance is a shadow now')
  }
  /** Of two masters the one that took over later stays. */
  const isOutvoted = (from: PeerStatus | undefined): boolean =>
    installation.role === 'master' && from?.role === 'master' && from.term > settings().term
  const giveUp = async (): Promise<void> => {
    await becomeShadow()
    schedule(firstRetryMs)
  }
  const tryToTakeOver = async (): Promise<boolean> => {
    const open = await installation.openTunnels()
    try {
      if (open === 0) return false
      await becomeMaster(settings().term + 1)
      return true
    } finally {
      if (installation.role !== 'master') await installation.closeTunnels()
    }
  }

  /** One check, by either role. */
  const look = async (): Promise<void> => {
    if (closed || settings().peer === undefined) return
    let againMs = intervalMs()
    try {
      if (installation.role === 'master') againMs = await lookAsMaster()
      else if (settings().looksAfter) againMs = await lookAsShadow()
      else return
    } finally {
      // Whatever went wrong: a pair whose checks have ended protects nobody.
      schedule(againMs)
    }
  }

  /** Returns when to look again. */
  const lookAsMaster = async (): Promise<number> => {
    if (isShadowThere()) {
      if (pushedRevision === installation.revision || (await push())) return intervalMs()
      return Math.min(intervalMs(), maxRetryMs)
    }
    if (isOutvoted(await askPing().catch(() => undefined))) await becomeShadow()
    return intervalMs()
  }

  const lookAsShadow = async (): Promise<number> => {
    let master: PeerStatus
    try {
      master = await askPing()
    } catch (error) {
      return await missMaster(error)
    }
    if (lostSinceMs !== undefined) tell('resolved', 'the master answers again')
    lostSinceMs = undefined
    shadowState = 'READY'
    shadowMessage = master.role === 'master' ? undefined : 'the other instance is no master either; change the role of one of the two'
    if (master.role !== 'master') return intervalMs()
    masterRevision = master.revision
    try {
      if (master.revision !== settings().appliedRevision || master.digest !== settings().appliedDigest) await fetchSnapshot()
      if (settings().term !== master.term) await store.save({ ...settings(), term: master.term })
    } catch (error) {
      shadowMessage = `the configuration of the master could not be taken over: ${reasonOf(error)}`
      report(error)
    }
    return intervalMs()
  }

  /** Only silence makes a shadow take over: a master that answers, whatever it says, is there. */
  const missMaster = async (error: unknown): Promise<number> => {
    const reason = reasonOf(error)
    shadowMessage = reason
    if (!isSilence(error)) {
      if (shadowState !== 'DISCONNECTED') tell('problem', `the master refuses this shadow: ${reason}`)
      shadowState = 'DISCONNECTED'
      lostSinceMs = undefined
      return intervalMs()
    }
    shadowState = 'LOST'
    if (lostSinceMs === undefined) {
      lostSinceMs = clock.now()
      tell('problem', `the master is not reachable: ${reason}`)
    }
    const waitMs = lostSinceMs + settings().shadow.takeoverDelayInSeconds * 1000 - clock.now()
    if (waitMs > 0) return Math.min(waitMs, firstRetryMs)
    // It may be the master that was right, and its last configuration is not here.
    const obstacle =
      masterRevision === -1
        ? 'it has not seen the master since it started; change its role if the master does not come back'
        : 'the last changes of the master have not reached it'
    if (masterRevision !== settings().appliedRevision) shadowMessage = `${reason}; this instance does not take over, because ${obstacle}`
    else if (!(await tryToTakeOver())) shadowMessage = `${reason}; this instance does not take over, because it cannot open a tunnel either`
    return intervalMs()
  }

  const push = async (): Promise<boolean> => {
    const revision = installation.revision
    try {
      await link.tellChange()
      pushedRevision = revision
      if (pushProblem !== undefined) tell('resolved', 'the shadow has the configuration again')
      pushProblem = undefined
      return true
    } catch (error) {
      const reason = reasonOf(error)
      if (pushProblem === undefined) tell('problem', `the configuration could not be pushed to the shadow: ${reason}`)
      pushProblem = reason
      return false
    }
  }

  const isShadowThere = (): boolean => {
    const { peer } = settings()
    return peer !== undefined && clock.now() - lastHeardMs < lostAfterIntervals * peer.checkIntervalInSeconds * 1000
  }
  const requireUnconnected = (): void => {
    const connected = installation.role === 'master' ? isShadowThere() : shadowState === 'READY' || shadowState === 'LOST'
    if (connected) throw conflict('not possible while master and shadow are connected; disconnect the shadow first')
  }

  const served: ServedPair = {
    requirePeer(authorization) {
      const given = Buffer.from(/^Bearer (\S{1,200})$/.exec(authorization ?? '')?.[1] ?? '')
      const secret = Buffer.from(settings().peer?.secret ?? '')
      if (secret.length === 0 || given.length !== secret.length || !timingSafeEqual(given, secret))
        throw forbidden('this is not the other instance of the pair')
    },
    register: (request, address) =>
      inTurn(async () => {
        if (!settings().master.haEnabled) throw conflict('high availability is not enabled on the master')
        const allowed = settings().master.allowedShadowHost
        if (allowed !== '' && allowed.toLowerCase() !== request.host.toLowerCase() && allowed !== address)
          throw conflict(`the master does not permit ${request.host} as its shadow`)
        const { peer } = settings()
        if (peer !== undefined && isShadowThere() && (peer.host !== request.host || peer.port !== request.port))
          throw conflict(`${peer.host}:${peer.port} is the shadow already; there can be one`)
        if (request.version !== installation.version)
          throw conflict(`master and shadow have different versions: ${installation.version} and ${request.version}`)
        binding = true
        const secret = randomBytes(32).toString('base64url')
        const { certificate, checkIntervalInSeconds, host, port } = request
        await store.save({ ...settings(), peer: { host, port, certificate, checkIntervalInSeconds, secret } })
        lastHeardMs = clock.now()
        pushedRevision = installation.revision
        schedule(intervalMs())
        return { secret }
      }),
    // Not in turn: each may be waiting for the other.
    async ping(from) {
      lastHeardMs = clock.now()
      binding = false
      if (isOutvoted(from)) void inTurn(async () => (isOutvoted(from) ? await giveUp() : undefined)).catch(report)
      return await status()
    },
    snapshot: () => installation.snapshot(),
    configurationChanged: () =>
      inTurn(async () => {
        if (installation.role === 'master') throw conflict('this instance is a master itself')
        await fetchSnapshot()
      }),
    takeOver: () =>
      inTurn(async () => {
        if (installation.role === 'master') return
        await fetchSnapshot().catch((error: unknown) => {
          throw conflict(`the last changes cannot be had: ${reasonOf(error)}`)
        })
        if (!(await tryToTakeOver())) throw conflict('no tunnel of any subaccount can be opened here')
        schedule(intervalMs())
      }),
  }

  return {
    get settings() {
      return settings()
    },
    get masterState() {
      if (settings().peer === undefined) return 'ALONE'
      if (binding && isShadowThere()) return 'BINDING'
      return isShadowThere() && pushProblem === undefined ? 'CONNECTED' : 'BROKEN'
    },
    get masterProblem() {
      return pushProblem
    },
    get shadowState() {
      return shadowState
    },
    get shadowMessage() {
      return shadowMessage
    },
    configureMaster: (master) =>
      inTurn(async () => {
        requireUnconnected()
        await store.save({ ...settings(), master })
      }),
    configureShadow: (shadow) =>
      inTurn(async () => {
        requireUnconnected()
        await store.save({ ...settings(), shadow })
      }),
    reset: (role) =>
      inTurn(async () => {
        requireUnconnected()
        cancel?.()
        await store.save({ ...settings(), [role]: defaultHaSettings[role], peer: undefined, appliedRevision: -1 })
        shadowState = 'INITIAL'
      }),
    connect: (credentials) =>
      inTurn(async () => {
        if (installation.role !== 'shadow') throw conflict('this instance is no shadow any more')
        const { checkIntervalInSeconds, masterHost, masterPort, ownHost } = settings().shadow
        if (masterHost === '' || masterPort === 0) throw invalidRequest('masterHost and masterPort have to be set first')
        const known = settings().peer
        const same = known !== undefined && known.host === masterHost && known.port === masterPort
        if (!same && credentials === undefined) throw invalidRequest('user and password of the master are needed at the first connect')
        const stateBefore = shadowState
        shadowState = 'HANDSHAKE'
        try {
          if (credentials !== undefined) {
            const { certificate, port } = options.own()
            const request = { host: ownHost, port, certificate, version: installation.version, checkIntervalInSeconds }
            await store.save({ ...settings(), peer: await link.introduce(request, credentials), appliedRevision: -1 })
          }
          shadowState = 'INITSYNC'
          await fetchSnapshot()
          const master = await askPing()
          masterRevision = master.revision
          await store.save({ ...settings(), term: master.term, looksAfter: true })
          shadowState = 'READY'
          shadowMessage = undefined
          schedule(intervalMs())
        } catch (error) {
          // A shadow that was connected stays so when somebody mistypes a password.
          const stays = shadowStaysConnected(stateBefore) && shadowState === 'HANDSHAKE'
          shadowState = stays ? stateBefore : 'DISCONNECTED'
          shadowMessage = reasonOf(error)
          throw error instanceof RestError ? error : new RestError(500, 'RUNTIME_FAILURE', shadowMessage)
        }
      }),
    disconnect: () =>
      inTurn(async () => {
        cancel?.()
        await store.save({ ...settings(), looksAfter: false })
        shadowState = 'DISCONNECTED'
        lostSinceMs = undefined
      }),
    switchRole: (force) =>
      inTurn(async () => {
        if (!force) {
          if (settings().peer === undefined) throw conflict('there is no shadow that could take over')
          // From here on no change is accepted that the shadow would not get.
          await installation.setRole('shadow')
          try {
            await link.askToTakeOver()
          } catch (error) {
            await installation.setRole('master')
            throw conflict(`the shadow cannot take over: ${reasonOf(error)}`)
          }
        }
        await giveUp()
      }),
    standBy: () => inTurn(() => installation.closeTunnels()),
    served,
    configurationChanged() {
      if (installation.role === 'master' && settings().peer !== undefined) schedule(0)
    },
    begin: () =>
      inTurn(async () => {
        if (settings().peer === undefined) return
        if (installation.role === 'shadow') {
          shadowState = settings().looksAfter ? 'READY' : 'DISCONNECTED'
          schedule(0)
          return
        }
        if (isOutvoted(await askPing().catch(() => undefined))) await giveUp()
        else schedule(intervalMs())
      }),
    async [Symbol.asyncDispose]() {
      closed = true
      cancel?.()
      await working
    },
  }
}

function isSilence(error: unknown): boolean {
  return ConnectivityError.is(error, 'PEER_UNREACHABLE') || ConnectivityError.is(error, 'DEADLINE_EXCEEDED')
}

function shadowStaysConnected(state: ShadowState): boolean {
  return state === 'READY' || state === 'LOST'
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown'
}
