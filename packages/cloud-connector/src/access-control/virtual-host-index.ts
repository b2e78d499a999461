import { admitsAllReadings, type HttpResource } from './http-resource.ts'
import type { RequestPath } from './request-path.ts'
import { findInResourceTree, none } from './resource-tree.ts'
import type { SystemMapping } from './system-mapping.ts'

/** Finds mappings by virtual host and port, and their resources by path. */
export interface VirtualHostIndex {
  /** Place of the mapping in this index, `virtualHost` being in lower case; {@link none} without. */
  locate(virtualHost: string, virtualPort: number): number
  mappingAt(place: number): SystemMapping
  /** Whether nothing but its resources decides what a mapping admits: it speaks plain HTTP, and functions are not looked at. */
  isDecidedByPathAlone(place: number): boolean
  /**
   * The resource of the mapping at a place that admits the path, the exact one before the longest prefix before shorter ones. With `upgrade` only resources that
   * allow upgrades count.
   */
  findResource(place: number, path: RequestPath, upgrade: boolean): HttpResource | undefined
}

/** Hosts that are longer or have other characters, which hardly exist, are found by their text. */
const maxCompactHost = 255
const compactHost = /^[\0-\xff]*$/

/** Words at a place; the host follows them byte by byte, and then the tree of its resources, unless another mapping has an equal one. */
const hashWord = 0
/** Port, length of the host, {@link pathAloneBit}. */
const headWord = 1
/** Number of the mapping. */
const numberWord = 2
/** Number of the first of its resources among all. */
const resourceWord = 3
/** First byte of its tree. */
const treeWord = 4
const wordsEach = 5
const pathAloneBit = 1 << 24
/** So that zero stands for a free slot. */
const firstPlace = 1

/**
 * Arranges mappings.
 *
 * Of ten thousand mappings none is in a cache of the processor, and each object that a decision reads takes as long as a third of the decision itself. So what is
 * compared lies together in few bytes, found by a hash table with open addressing. Of the mapping and the resource that are found nothing is read.
 */
export function createVirtualHostIndex(mappings: readonly SystemMapping[]): VirtualHostIndex {
  const slots = new Int32Array(slotCountFor(mappings.length))
  const mask = slots.length - 1
  const layout = layOut(mappings)
  const words = new Int32Array(layout.wordCount)
  const bytes = new Uint8Array(words.buffer)
  const resources = mappings.flatMap(({ index }) => index.enabled)
  /** Places of ranges of ports, and of hosts that are not compact. */
  const others = new Map<string, number[]>()
  let resourceEnd = 0
  for (const [number, mapping] of mappings.entries()) {
    const { index, virtualHost, virtualPortHigh, virtualPortLow } = mapping
    const { host, place, tree, ownsTree } = layout.entries[number] as Entry
    const hash = hashOf(virtualHost, virtualPortLow)
    words.set([hash, headOf(host, virtualPortLow) | (isPathAlone(mapping) ? pathAloneBit : 0), number, resourceEnd, tree], place)
    const text = 4 * (place + wordsEach)
    for (let at = 0; at < host.length; at += 1) bytes[text + at] = host.charCodeAt(at)
    if (ownsTree) bytes.set(index.tree, tree)
    const single = virtualPortLow === virtualPortHigh
    if (single && host === virtualHost) {
      let slot = hash & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = place
    } else {
      const known = others.get(virtualHost) ?? []
      others.set(virtualHost, single ? [place, ...known] : [...known, place])
    }
    resourceEnd += index.enabled.length
  }

  function mappingAt(place: number): SystemMapping {
    return mappings[words[place + numberWord] as number] as SystemMapping
  }

  function locateOther(virtualHost: string, virtualPort: number): number {
    const contains = (place: number): boolean => {
      const { virtualPortHigh, virtualPortLow } = mappingAt(place)
      return virtualPort >= virtualPortLow && virtualPort <= virtualPortHigh
    }
    return others.get(virtualHost)?.find(contains) ?? none
  }

  return {
    mappingAt,
    locate(virtualHost, virtualPort) {
      const { length } = virtualHost
      if (length > maxCompactHost) return locateOther(virtualHost, virtualPort)
      const hash = hashOf(virtualHost, virtualPort)
      const head = headOf(virtualHost, virtualPort)
      for (let slot = hash & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
        const place = slots[slot] as number
        if (words[place + hashWord] !== hash || ((words[place + headWord] as number) & ~pathAloneBit) !== head) continue
        const text = 4 * (place + wordsEach)
        let at = 0
        while (at < length && bytes[text + at] === virtualHost.charCodeAt(at)) at += 1
        if (at === length) return place
      }
      return others.size === 0 ? none : locateOther(virtualHost, virtualPort)
    },
    isDecidedByPathAlone: (place) => ((words[place + headWord] as number) & pathAloneBit) !== 0,
    findResource(place, path, upgrade) {
      if (path.kind === 'refused') return undefined
      const tree = words[place + treeWord] as number
      const first = words[place + resourceWord] as number
      if (path.kind === 'plain') {
        const found = findInResourceTree(bytes, tree, path.path, upgrade)
        return found === none ? undefined : resources[first + found]
      }
      const { readings } = path
      const accepts = (number: number): boolean => admitsAllReadings(resources[first + number] as HttpResource, readings)
      // Every resource that admits all readings admits the first one, so that one finds the candidates.
      const found = findInResourceTree(bytes, tree, readings[0] ?? '', upgrade, accepts)
      return found === none ? undefined : resources[first + found]
    },
  }
}

interface Entry {
  /** Empty when it is not compact. */
  readonly host: string
  readonly place: number
  readonly tree: number
  readonly ownsTree: boolean
}

/** Says where what will be. */
function layOut(mappings: readonly SystemMapping[]): { readonly entries: readonly Entry[]; readonly wordCount: number } {
  const treeStarts = new Map<string, number>()
  let place = firstPlace
  const entries = mappings.map(({ index: { tree }, virtualHost }): Entry => {
    const host = isCompact(virtualHost) ? virtualHost : ''
    const end = 4 * (place + wordsEach) + host.length
    const content = Buffer.from(tree.buffer, tree.byteOffset, tree.byteLength).toString('latin1')
    const known = treeStarts.get(content)
    if (known === undefined) treeStarts.set(content, end)
    const entry = { host, place, tree: known ?? end, ownsTree: known === undefined }
    place = Math.ceil((end + (known === undefined ? tree.length : 0)) / 4)
    return entry
  })
  return { entries, wordCount: place }
}

function isCompact(virtualHost: string): boolean {
  return virtualHost.length <= maxCompactHost && compactHost.test(virtualHost)
}

function isPathAlone({ protocol, soapFunctions }: SystemMapping): boolean {
  return (protocol === 'HTTP' || protocol === 'HTTPS') && soapFunctions === undefined
}

/** A power of two, of which a third is free at least. A slot holds a place. */
function slotCountFor(count: number): number {
  let size = 16
  while (size < 1.5 * count) size *= 2
  return size
}

/** Port and length of the host, for a comparison in one step. */
function headOf(virtualHost: string, virtualPort: number): number {
  return virtualPort | (virtualHost.length << 16)
}

/** FNV-1a, the high bits of which get into the low ones. */
function hashOf(host: string, port: number): number {
  let hash = port
  for (let at = 0; at < host.length; at += 1) hash = Math.imul(hash ^ host.charCodeAt(at), 0x01000193)
  return hash ^ (hash >>> 15)
}
