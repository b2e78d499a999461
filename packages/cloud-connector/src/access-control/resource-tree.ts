import type { HttpResource } from './http-resource.ts'

/**
 * The paths of one mapping's resources as a radix tree in bytes, of which a look-up reads few, lying together.
 *
 * A tree begins with the width of its numbers: one, two or four bytes, low ones first. A node is: the length of its label; what it has
 * ({@link resourceBits}, {@link branches}); the numbers of its resources; the number of its children, if it has any; the label; the first byte of each child; and
 * where each child begins, counted from the begin of the tree. A label lacks the byte by which the parent has chosen the node. Nothing is absolute: a tree may be
 * copied to anywhere.
 */
const nodeBytes = 2
const maxLabelBytes = 255
/** How many resources a node has: one for its path alone, and one for all that begins with it. */
const resourceBits = 3
/** Of the first resource; of the second two bits further. */
const exactBit = 4
const upgradeBit = 8
const branches = 64
/** What paths of requests consist of when they are compared, see `readRequestPath`. A resource with anything else admits nothing. */
const comparable = /^[\x21-\x7e]*$/

/** Nothing was found. */
export const none = -1

type Numbered = readonly [number: number, resource: HttpResource]

/** Builds the tree of resources, which are numbered as given. Of several that differ in nothing that is compared the first one counts. */
export function createResourceTree(resources: readonly HttpResource[]): Uint8Array {
  const sorted = [...resources.entries()].filter(([, { path }]) => comparable.test(path)).toSorted(inOrder)
  const distinct = sorted.filter((entry, at) => at === 0 || inOrder(sorted[at - 1] as Numbered, entry) !== 0)
  // Each resource makes two nodes at most, and one more for every full label. Beside what is compared a node has its begin, its count of children and the link to it.
  const most = (width: number): number =>
    distinct.reduce((sum, [, { path }]) => sum + path.length + (2 + (path.length >> 8)) * (nodeBytes + 1 + width) + width, 16)
  const highest = (width: number): number => Math.max(most(width), resources.length)
  const width = ([1, 2] as const).find((bytes) => highest(bytes) < 256 ** bytes) ?? 4
  return writeTree(distinct, width, new Uint8Array(most(width)))
}

/** Of equal paths the exact one last: it is what a text that ends there shall find. */
function inOrder([, a]: Numbered, [, b]: Numbered): number {
  if (a.path === b.path) return Number(a.exactMatchOnly) - Number(b.exactMatchOnly)
  return a.path < b.path ? -1 : 1
}

function writeTree(sorted: readonly Numbered[], width: 1 | 2 | 4, bytes: Uint8Array): Uint8Array {
  const pathAt = (at: number): string => (sorted[at] as Numbered)[1].path
  let end = 0
  const write = (value: number): void => {
    bytes[end++] = value
  }
  const writeNumber = (value: number, at: number): void => {
    for (let byte = 0; byte < width; byte += 1) bytes[at + byte] = (value >>> (8 * byte)) & 0xff
  }
  write(width)
  // A list instead of recursion: paths that begin with each other may be thousands of nodes deep.
  const open = [{ from: 0, to: sorted.length, depth: 0, link: none }]
  for (let branch = open.pop(); branch !== undefined; branch = open.pop()) {
    const { from, to, depth, link } = branch
    if (link !== none) writeNumber(end, link)
    const path = from === to ? '' : pathAt(from)
    // The first and the last of sorted texts have in common what all of them have.
    const labelEnd = from === to ? 0 : Math.min(depth + maxLabelBytes, sharedLength(path, pathAt(to - 1), depth))
    let rest = from
    while (rest < to && pathAt(rest).length === labelEnd) rest += 1
    const starts: number[] = []
    for (let at = rest; at < to; at += 1)
      if (at === rest || pathAt(at).charCodeAt(labelEnd) !== pathAt(at - 1).charCodeAt(labelEnd)) starts.push(at)
    const own = sorted.slice(from, rest)
    write(labelEnd - depth)
    write(own.reduce((has, [, resource], at) => has | (bitsOf(resource) << (2 * at)), own.length) | (starts.length > 0 ? branches : 0))
    for (const [number] of own) {
      writeNumber(number, end)
      end += width
    }
    if (starts.length > 0) write(starts.length)
    for (let at = depth; at < labelEnd; at += 1) write(path.charCodeAt(at))
    for (const start of starts) write(pathAt(start).charCodeAt(labelEnd))
    const links = end
    end += starts.length * width
    for (let child = starts.length - 1; child >= 0; child -= 1)
      open.push({ from: starts[child] as number, to: starts[child + 1] ?? to, depth: labelEnd + 1, link: links + child * width })
  }
  // What does not fit is not written, and a look-up would go on in what lies behind.
  if (end > bytes.length) throw new RangeError(`a tree of resources takes ${end} bytes instead of ${bytes.length} at most`)
  return bytes.slice(0, end)
}

function bitsOf({ exactMatchOnly, websocketUpgradeAllowed }: HttpResource): number {
  return (exactMatchOnly ? exactBit : 0) | (websocketUpgradeAllowed ? upgradeBit : 0)
}

/** Length of what two texts begin with, which are equal up to `from`. */
function sharedLength(one: string, other: string, from: number): number {
  let at = from
  while (at < one.length && at < other.length && one.charCodeAt(at) === other.charCodeAt(at)) at += 1
  return at
}

/**
 * Number of the resource that admits a text: the exact one before the longest prefix before shorter ones; {@link none} without. The tree begins at `start`. With
 * `upgrade` only resources count that allow it, and with `accepts` only those that it accepts.
 */
export function findInResourceTree(
  bytes: Uint8Array,
  start: number,
  text: string,
  upgrade: boolean,
  accepts?: (number: number) => boolean,
): number {
  const width = bytes[start] as number
  let found = none
  for (let node = start + 1, at = 0; ;) {
    const length = bytes[node] as number
    const has = bytes[node + 1] as number
    const numbers = node + nodeBytes
    const resources = has & resourceBits
    const rest = numbers + resources * width
    const label = has & branches ? rest + 1 : rest
    if (at + length > text.length) return found
    for (let byte = 0; byte < length; byte += 1) if (bytes[label + byte] !== text.charCodeAt(at + byte)) return found
    at += length
    for (let resource = 0; resource < resources; resource += 1) {
      const bits = has >> (2 * resource)
      if (((bits & exactBit) !== 0 && at !== text.length) || (upgrade && (bits & upgradeBit) === 0)) continue
      const number = readNumber(bytes, numbers + resource * width, width)
      if (accepts === undefined || accepts(number)) found = number
    }
    if (at === text.length || (has & branches) === 0) return found
    const children = bytes[rest] as number
    const firsts = label + length
    const next = text.charCodeAt(at)
    let child = 0
    while (child < children && bytes[firsts + child] !== next) child += 1
    if (child === children) return found
    node = start + readNumber(bytes, firsts + children + child * width, width)
    at += 1
  }
}

function readNumber(bytes: Uint8Array, at: number, width: number): number {
  let number = bytes[at] as number
  if (width > 1) number |= (bytes[at + 1] as number) << 8
  if (width > 2) number |= ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24)
  return number
}
