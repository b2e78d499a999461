import { formatMessage, type WirePrincipal } from '@sallyport/tunnel'
import { maxApplicationCharacters } from '../limits.ts'
import type { ConnectionPlace } from '../listener.ts'
import { isRefusal, type Refusal } from '../refusal.ts'
import * as refusals from '../refusals.ts'
import type { RequestReport } from '../request-report.ts'
import { StreamLink, type StreamOwner } from '../stream-link.ts'
import { waitForTunnel } from '../tunnel-opening.ts'
import type { ProxyTunnel } from '../tunnels.ts'
import { type Binding, bindingOf, conflictOf, isSameToken } from './binding.ts'
import { type Caller, CallerCheck } from './caller.ts'
import type { HttpEntry } from './http-entry.ts'
import type { RequestPlan } from './request-plan.ts'

/**
 * The way that the requests of one connection take: for whom they are made, what the first of them has bound the connection to, and the stream that carries
 * them. It opens the stream; the connection ends it.
 */
export class Route {
  /** The stream to the bound target, while it is open. */
  stream: StreamLink | undefined
  /** What the last request that was authorised is for. */
  target: Binding | undefined
  private readonly entry: HttpEntry
  private readonly owner: StreamOwner
  private readonly place: ConnectionPlace
  private readonly report: RequestReport
  private readonly check: CallerCheck
  private binding: Binding | undefined
  private sentPrincipal: WirePrincipal | undefined
  private cancelWait: (() => void) | undefined
  private isCancelled = false

  constructor(entry: HttpEntry, owner: StreamOwner, place: ConnectionPlace, report: RequestReport) {
    this.entry = entry
    this.owner = owner
    this.place = place
    this.report = report
    this.check = new CallerCheck(entry.policy)
  }

  /** The stream on which to send a request, or why it must not be sent. Only a token or a tunnel that is not at hand makes it wait. */
  find(plan: RequestPlan): StreamLink | Refusal | Promise<StreamLink | Refusal> {
    this.target = undefined
    const caller = this.check.peek(plan.controls)
    if (caller !== undefined) return this.follow(plan, caller)
    return this.check.verify(plan.controls).then((found) => this.follow(plan, found))
  }

  /** Nobody waits any more; whatever is still being decided opens no stream. */
  cancel(): void {
    this.isCancelled = true
    this.cancelWait?.()
  }

  /** The stream is not used any more; the backend gets what is on its way, and the end. */
  leave(): void {
    this.stream?.leave(this.entry.clock, this.entry.limits.lingerMs)
    this.stream = undefined
  }

  giveUp(): void {
    this.stream?.reset()
    this.stream = undefined
  }

  private follow(plan: RequestPlan, caller: Caller | Refusal): StreamLink | Refusal | Promise<StreamLink | Refusal> {
    if (isRefusal(caller)) return caller
    if (this.isCancelled) return refusals.aborted
    const target = bindingOf(plan, caller)
    this.target = target
    const conflict = this.binding === undefined ? undefined : conflictOf(this.binding, target, plan.target)
    if (conflict !== undefined) {
      if (!this.entry.lenient) return conflict
      this.leave()
    }
    this.report.accepted(target, caller.client)
    if (this.stream !== undefined) {
      this.renewPrincipal(this.stream, caller)
      return this.stream
    }
    const tunnel = this.entry.tunnels.find(target.tenant, target.locationId)
    return (tunnel && this.open(tunnel, target, caller)) ?? this.wait(target, caller)
  }

  private async wait(target: Binding, caller: Caller): Promise<StreamLink | Refusal> {
    const wait = waitForTunnel({ ...this.entry, subaccount: target.tenant, locationId: target.locationId })
    this.cancelWait = wait.cancel
    const found = await wait.result
    this.cancelWait = undefined
    if (isRefusal(found)) return found
    if (this.isCancelled) return refusals.aborted
    return this.open(found, target, caller) ?? refusals.tunnelLost
  }

  /** `undefined`: the tunnel has just closed. */
  private open(tunnel: ProxyTunnel, target: Binding, caller: Caller): StreamLink | undefined {
    const principal = caller.principal?.wire
    const stream = new StreamLink(this.owner)
    const opening = formatMessage({
      kind: 'http',
      subaccount: target.tenant,
      locationId: target.locationId,
      virtualHost: target.host,
      virtualPort: target.port,
      correlationId: this.report.correlationId,
      ...(caller.client === '' ? {} : { application: caller.client.slice(0, maxApplicationCharacters) }),
      ...(principal === undefined ? {} : { principal }),
    })
    if (!stream.open(tunnel, opening)) return undefined
    this.stream = stream
    this.binding = target
    this.sentPrincipal = principal
    this.place.admitted()
    this.report.streamOpened(target, tunnel.tunnelId, stream.id)
    return stream
  }

  /** A renewed token of the same principal goes ahead of the request. */
  private renewPrincipal(stream: StreamLink, caller: Caller): void {
    const principal = caller.principal?.wire
    if (isSameToken(principal, this.sentPrincipal)) return
    stream.sendMessage(formatMessage({ kind: 'principal', principal: principal ?? null, correlationId: this.report.correlationId }))
    this.sentPrincipal = principal
  }
}
