import { ConnectivityError } from '@sallyport/core'
import type { ExposedSystem, TunnelClient } from '@sallyport/tunnel'

/** A tunnel that an administrator opens and closes, and that is the same one to everybody else. While it is closed its state is `closed`. */
export interface SwitchedTunnel extends TunnelClient {
  /** Whether it is meant to be open; whether it is, is another matter. */
  readonly on: boolean
  /** Begins to dial, unless it does so already. After a failure it begins anew at once, without waiting. */
  connect(): void
  /** Takes nothing new at once; what is open may finish for so long. */
  disconnect(options: { readonly graceMs: number }): Promise<void>
}

/** Makes clients one after the other, at most one at a time. What is exposed is told to each of them. */
export function createSwitchedTunnel(options: { readonly on: boolean; readonly create: () => TunnelClient }): SwitchedTunnel {
  let client = options.on ? options.create() : undefined
  let ended: Promise<void> = Promise.resolve()
  let closed = false
  let exposed: readonly [string, readonly ExposedSystem[]] | undefined

  const present = (): TunnelClient => {
    if (client === undefined) throw new ConnectivityError('TUNNEL_LOST', 'the subaccount is disconnected; connect it first')
    return client
  }
  const disconnect = (graceMs: number): Promise<void> => {
    const before = client
    client = undefined
    if (before === undefined) return ended
    const closing = Promise.all([ended, before.close({ graceMs })]).then(() => {})
    // Whoever closes it hears of a failure; the clients after it close without one.
    ended = closing.catch(() => {})
    return closing
  }

  return {
    get on() {
      return client !== undefined
    },
    connect() {
      if (closed) throw new ConnectivityError('ABORTED', 'the tunnel is closed for good')
      const state = client?.state
      if (state !== undefined && state.kind !== 'failed') return
      // It has failed already; that it cannot be closed either changes nothing for the next one.
      void disconnect(0).catch(() => {})
      client = options.create()
      if (exposed !== undefined) client.expose(...exposed)
    },
    disconnect: ({ graceMs }) => disconnect(graceMs),
    get state() {
      return client?.state ?? { kind: 'closed' }
    },
    get roundTripMs() {
      return client?.roundTripMs
    },
    get openStreams() {
      return client?.openStreams ?? 0
    },
    get takesChannels() {
      return client?.takesChannels ?? false
    },
    whenReady: async (signal) => await present().whenReady(signal),
    openChannel: (opening, handlers) => present().openChannel(opening, handlers),
    expose(digest, systems) {
      exposed = [digest, systems]
      client?.expose(digest, systems)
    },
    getTrust: async (signal) => await present().getTrust(signal),
    renewCertificate: async (request, signal) => await present().renewCertificate(request, signal),
    reconnect: () => client?.reconnect(),
    close({ graceMs }) {
      closed = true
      return disconnect(graceMs)
    },
    [Symbol.asyncDispose]() {
      closed = true
      return disconnect(0)
    },
  }
}
