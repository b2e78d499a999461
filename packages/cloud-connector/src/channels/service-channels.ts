import type { ServiceChannelEntry } from '@sallyport/admin-api'
import { abortedError, ConnectivityError } from '@sallyport/core'
import { channelKey, createChannelIds } from './channel-ids.ts'
import { type ChannelCounter, createChannelCounter } from './channel-usage.ts'
import { type ChannelStatus, type ChannelSurroundings, createServiceChannel, type ServiceChannel } from './service-channel.ts'

/** The service channels of one subaccount and location. */
export interface ServiceChannels {
  readonly status: readonly ChannelStatus[]
  /** Takes over what is configured by difference: a channel whose port, target and switch are the same keeps its clients. */
  apply(entries: readonly ServiceChannelEntry[]): void
  /** The tunnel has come or gone. */
  tunnelChanged(): void
  /**
   * Settles when the port of a channel is open and the cloud side has led a connection of ours to its service, which ends at once.
   *
   * @throws ConnectivityError why it is not: `PORT_IN_USE`, `CONFIGURATION_INVALID`, `TUNNEL_LOST`, `VERSION_UNSUPPORTED`; `NOT_FOUND` for a channel that is
   * not there or not enabled; why a client would be turned away; what the signal says.
   */
  whenServed(id: number, signal: AbortSignal): Promise<void>
  /** Closes all ports at once and for ever; clients may finish for so long. */
  close(graceMs: number): Promise<void>
}

/** No channel is open before `apply`. Counters belong to local ports and outlive the channels on them. */
export function createServiceChannels(surroundings: ChannelSurroundings): ServiceChannels {
  const ids = createChannelIds()
  const counters = new Map<string, ChannelCounter>()
  const listeners = new Set<() => void>()
  let channels: readonly ServiceChannel[] = []
  let isClosed = false

  const onState = (): void => {
    for (const listener of listeners) listener()
  }
  const counterOf = (entry: ServiceChannelEntry): ChannelCounter => {
    const key = channelKey(entry)
    const counter = counters.get(key) ?? createChannelCounter()
    counters.set(key, counter)
    return counter
  }
  const isSame = (channel: ServiceChannel, id: number, entry: ServiceChannelEntry): boolean =>
    channel.id === id && channel.entry.enabled === entry.enabled && channelKey(channel.entry) === channelKey(entry)

  const whenOpen = (id: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const settle = (error?: Error): void => {
        listeners.delete(check)
        signal.removeEventListener('abort', check)
        if (error === undefined) resolve()
        else reject(error)
      }
      const check = (): void => {
        const state = channels.find((channel) => channel.id === id)?.status.state
        if (state?.kind === 'open') settle()
        else if (signal.aborted) settle(abortedError(signal, `opening service channel ${id}`))
        else if (state?.kind === 'failed' || state?.kind === 'waiting') settle(new ConnectivityError(state.code, state.message))
        else if (state?.kind !== 'opening') settle(new ConnectivityError('NOT_FOUND', `there is no service channel ${id} that is enabled`))
      }
      listeners.add(check)
      signal.addEventListener('abort', check)
      check()
    })

  return {
    get status() {
      return channels.map((channel) => channel.status)
    },
    apply(entries) {
      if (isClosed) return
      const wanted = ids.assign(entries)
      const kept = channels.filter((channel) => wanted.some(({ entry, id }) => isSame(channel, id, entry)))
      // First those that go: their ports may be needed at once.
      for (const channel of channels) if (!kept.includes(channel)) void channel.close(0)
      const configured = new Set(wanted.map(({ entry }) => channelKey(entry)))
      for (const key of counters.keys()) if (!configured.has(key)) counters.delete(key)
      channels = wanted.map(({ entry, id }) => {
        const channel = kept.find((one) => one.id === id)
        channel?.update(entry)
        return channel ?? createServiceChannel({ ...surroundings, id, entry, counter: counterOf(entry), onState })
      })
      onState()
    },
    tunnelChanged() {
      for (const channel of channels) channel.tunnelChanged()
    },
    async whenServed(id, signal) {
      await whenOpen(id, signal)
      const channel = channels.find((one) => one.id === id)
      if (channel === undefined) throw new ConnectivityError('NOT_FOUND', `the service channel ${id} has been removed`)
      await channel.tryService(signal)
    },
    async close(graceMs) {
      isClosed = true
      await Promise.all(channels.map((channel) => channel.close(graceMs)))
    },
  }
}
