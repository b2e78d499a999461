import { localPortOf, type ServiceChannelEntry, targetOf } from '@sallyport/admin-api'

/** A channel with its number. */
interface NumberedChannel {
  readonly id: number
  readonly entry: ServiceChannelEntry
}

/** Gives numbers to channels. */
export interface ChannelIds {
  /** The same channels with their numbers: the written ones, those that they had before, and new ones above all there ever were. */
  assign(entries: readonly ServiceChannelEntry[]): readonly NumberedChannel[]
}

/** Numbers are unique across all types of channels of one subaccount and location, and never given twice. */
export function createChannelIds(): ChannelIds {
  let highest = 0
  let known = new Map<string, number>()
  return {
    assign(entries) {
      const written = new Set(entries.map(({ id }) => id).filter((id) => id !== undefined))
      highest = Math.max(highest, ...written)
      const numbered = entries.map((entry): NumberedChannel => {
        if (entry.id !== undefined) return { id: entry.id, entry }
        const before = known.get(channelKey(entry))
        return { id: before === undefined || written.has(before) ? ++highest : before, entry }
      })
      known = new Map(numbered.map(({ entry, id }) => [channelKey(entry), id]))
      return numbered
    },
  }
}

/** What makes two entries the same channel: where it listens and where it leads. */
export function channelKey(entry: ServiceChannelEntry): string {
  return JSON.stringify([entry.type, entry.host, localPortOf(entry), targetOf(entry)])
}
