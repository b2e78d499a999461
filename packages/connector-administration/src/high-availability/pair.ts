import { timingSafeEqual } from 'node:crypto'
import { createTurnQueue } from '@sallyport/core'
import { firstRetryMs, takeBackIntervalMs } from '../limits.ts'
import { conflict, forbidden } from '../rest/rest-error.ts'
import { createChecks } from './checks.ts'
import { confirmChanges } from './confirm-changes.ts'
import { defaultHaSettings } from './ha-settings.ts'
import { createMasterSide } from './master-side.ts'
import type { Pair, ServedPair } from './pair-contract.ts'
import { createPairMember, pairAuthor, type PairOptions, reasonOf } from './pair-member.ts'
import { createRoleSwitch } from './role-switch.ts'
import { createShadowSide } from './shadow-side.ts'

/** Opens this side of a pair; nothing is called before `begin`. */
export function createPair(options: PairOptions): Pair {
  const { installation } = options
  const member = createPairMember(options)
  const { link } = member
  const master = createMasterSide(member)
  const shadow = createShadowSide(member)
  const roles = createRoleSwitch(member, { master, shadow })
  // Steps that change roles or configuration happen one after the other.
  const { idle, inTurn } = createTurnQueue()
  const checks = createChecks(options.clock, () => void inTurn(look).catch(member.report))
  let closed = false
  let tookBackMs = -Infinity

  /** One check, by either role. */
  const look = async (): Promise<void> => {
    if (closed || member.settings.peer === undefined) return
    if (installation.role !== 'master' && !member.settings.looksAfter) return
    let againMs = member.intervalMs
    try {
      againMs = installation.role === 'master' ? await lookAsMaster() : await shadow.look(() => roles.takeOver(pairAuthor))
    } finally {
      // Whatever went wrong: a pair whose checks have ended protects nobody.
      checks.in(againMs)
    }
  }
  const lookAsMaster = async (): Promise<number> => {
    if (master.isShadowThere) return await master.bringUpToDate()
    if (await roles.isOutvotedByPeer()) await roles.giveUp(pairAuthor)
    return member.intervalMs
  }
  const giveUp = async (user: string): Promise<void> => {
    await roles.giveUp(user)
    checks.in(firstRetryMs)
  }
  /** The other instance is a shadow; it may have been a master a moment ago, or have tried to become one, and have replaced tunnels of this one. */
  const takeTunnelsBack = async (hasClosedTunnels: boolean): Promise<void> => {
    if (!hasClosedTunnels && member.elapsed() - tookBackMs < takeBackIntervalMs) return
    if ((await installation.reopenTunnels()) > 0) tookBackMs = member.elapsed()
  }
  const requireUnconnected = (): void => {
    const connected = installation.role === 'master' ? master.isShadowThere : shadow.state === 'READY' || shadow.state === 'LOST'
    if (connected) throw conflict('not possible while master and shadow are connected; disconnect the shadow first')
  }

  const served: ServedPair = {
    requirePeer(authorization) {
      const given = Buffer.from(/^Bearer (\S{1,200})$/.exec(authorization ?? '')?.[1] ?? '')
      const secret = Buffer.from(member.settings.peer?.secret ?? '')
      if (secret.length === 0 || given.length !== secret.length || !timingSafeEqual(given, secret))
        throw forbidden('this is not the other instance of the pair')
    },
    register: (request, from) =>
      inTurn(async () => {
        const answer = await master.register(request, from)
        checks.in(member.intervalMs)
        return answer
      }),
    // Not in turn: each may be waiting for the other.
    async ping(from) {
      master.hear(from)
      if (from.role === 'shadow' && installation.role === 'master')
        void takeTunnelsBack(from.hasClosedTunnels === true).catch(member.report)
      if (roles.isOutvoted(from))
        void inTurn(async () => (roles.isOutvoted(from) ? await giveUp(pairAuthor) : undefined)).catch(member.report)
      return await member.status()
    },
    snapshot: () => installation.snapshot(),
    configurationChanged: () =>
      inTurn(async () => {
        if (installation.role === 'master') throw conflict('this instance is a master itself')
        await shadow.fetch()
      }),
    awaitRestore: () => shadow.awaitRestore(),
    takeOver: (user) =>
      inTurn(async () => {
        if (installation.role === 'master') return
        await shadow.fetch().catch((error: unknown) => {
          throw conflict(`the last changes cannot be had: ${reasonOf(error)}`)
        })
        if (!(await roles.takeOver(user))) throw conflict('no tunnel of any subaccount can be opened here')
        checks.in(member.intervalMs)
      }),
  }

  return {
    get settings() {
      return member.settings
    },
    get masterState() {
      return master.state
    },
    get masterProblem() {
      return master.problem
    },
    get shadowState() {
      return shadow.state
    },
    get shadowMessage() {
      return shadow.message
    },
    get masterVersion() {
      return shadow.masterVersion
    },
    configureMaster: (user, settings) =>
      inTurn(async () => {
        requireUnconnected()
        await member.save({ master: { ...member.settings.master, ...settings } }, user)
      }),
    setChannelGrace: (user, minutes) =>
      inTurn(() => member.save({ master: { ...member.settings.master, channelGraceInMinutes: minutes } }, user)),
    configureShadow: (user, settings) =>
      inTurn(async () => {
        requireUnconnected()
        const { peer } = member.settings
        await member.save(
          { shadow: settings, ...(peer === undefined ? {} : { peer: { ...peer, takeoverDelayInSeconds: undefined } }) },
          user,
        )
      }),
    reset: (user, role) =>
      inTurn(async () => {
        requireUnconnected()
        checks.pause()
        await member.save({ [role]: defaultHaSettings[role], peer: undefined, appliedRevision: -1 }, user)
        shadow.forget()
      }),
    connect: (user, logOn) =>
      inTurn(async () => {
        if (installation.role !== 'shadow') throw conflict('this instance is no shadow any more')
        await shadow.connect(user, logOn, options.own())
        checks.in(member.intervalMs)
      }),
    disconnect: (user) =>
      inTurn(async () => {
        checks.pause()
        await shadow.disconnect(user)
      }),
    switchRole: (user, force) =>
      inTurn(async () => {
        if (!force) await roles.handOver(user)
        await giveUp(user)
      }),
    replaced: () => installation.replaced(),
    standBy: () => inTurn(() => installation.closeTunnels()),
    served,
    configurationChanged() {
      if (installation.role === 'master' && member.settings.peer !== undefined) checks.in(0)
    },
    // Not in turn: a check that is under way may wait for what this waits for.
    confirm: (what) => confirmChanges(member, master, what),
    async beginRestore() {
      const { peer } = member.settings
      if (installation.role !== 'master' || peer === undefined) return
      try {
        await link.tellRestore()
      } catch (error) {
        // One that has been away for longer than that, or was stopped, takes nothing over.
        if (master.fenceMs === 0) return
        throw conflict(
          `the shadow ${peer.host}:${peer.port} cannot be told to wait (${reasonOf(error)}): it might take over with what is to be replaced while this instance starts again. Disconnect it there or stop it, then restore again`,
        )
      }
    },
    sharedState: async () => `${installation.revision} ${await installation.digest()}`,
    begin: () =>
      inTurn(async () => {
        if (member.settings.peer === undefined) return
        if (installation.role === 'shadow') {
          shadow.begin()
          checks.in(0)
          return
        }
        if (await roles.isOutvotedByPeer()) await giveUp(pairAuthor)
        else checks.in(member.intervalMs)
      }),
    idle,
    async [Symbol.asyncDispose]() {
      closed = true
      checks.end()
      await idle()
      if (installation.role === 'shadow' && member.settings.looksAfter) await shadow.takeLeave()
    },
  }
}
