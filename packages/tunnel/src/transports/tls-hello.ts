/** First bytes of a lane, before any frame: who belongs together and which version both speak. Byte tables in `docs/tunnel-protocol.md`. */

/** Versions of framing and hello, newest first. */
export const tunnelVersions: readonly number[] = [1]

const magic = Buffer.from('SPTUNNEL', 'latin1')
const connectionIdBytes = 16
/** Magic, connection id, lane, lanes, number of versions. */
export const helloHeadBytes: number = magic.length + connectionIdBytes + 3
/** Versions in one hello: a program speaks two or three. */
const maxOfferedVersions = 16
/** Magic, status, version, identity of the server process. */
export const answerBytes: number = magic.length + 1 + 2 + 8

/** What the dialler says first on each lane. */
export interface LaneHello {
  /** 128 random bits: lanes that carry the same belong to one connection. */
  readonly connectionId: Buffer
  readonly lane: number
  readonly lanes: number
  readonly versions: readonly number[]
}

export type LaneAnswer = {
  readonly status: 'accepted' | 'version-unsupported' | 'refused'
  /** The version chosen or, when none fits, the newest that the server speaks. */
  readonly version: number
  /** Random per server process: lanes that a load balancer sent to different ones are told apart at once. */
  readonly instance: Buffer
}

const statuses: readonly LaneAnswer['status'][] = ['accepted', 'version-unsupported', 'refused']

/** The bytes of a hello. */
export function formatHello(hello: LaneHello): Buffer {
  const head = Buffer.from([hello.lane, hello.lanes, hello.versions.length])
  const versions = Buffer.alloc(hello.versions.length * 2)
  hello.versions.forEach((version, index) => versions.writeUInt16BE(version, index * 2))
  return Buffer.concat([magic, hello.connectionId, head, versions])
}

/** Reads the part of fixed length; `versionsBytes` follow it. `undefined` for anything that is not a hello. */
export function tryParseHelloHead(
  bytes: Buffer,
  maxLanes: number,
): (Omit<LaneHello, 'versions'> & { readonly versionsBytes: number }) | undefined {
  if (bytes.length !== helloHeadBytes || !bytes.subarray(0, magic.length).equals(magic)) return undefined
  const [lane = 0, lanes = 0, versions = 0] = bytes.subarray(helloHeadBytes - 3)
  if (lanes < 1 || lanes > maxLanes || lane >= lanes || versions < 1 || versions > maxOfferedVersions) return undefined
  return { connectionId: bytes.subarray(magic.length, magic.length + connectionIdBytes), lane, lanes, versionsBytes: versions * 2 }
}

/** The versions behind a hello; an even number of bytes. */
export function parseHelloVersions(bytes: Buffer): readonly number[] {
  return Array.from({ length: bytes.length / 2 }, (_, index) => bytes.readUInt16BE(index * 2))
}

/** The first offered version that we speak: the dialler's preference counts, and both list the newest first. */
export function chooseVersion(offered: readonly number[], spoken: readonly number[]): number | undefined {
  return offered.find((version) => spoken.includes(version))
}

/** The bytes of an answer, {@link answerBytes} of them. */
export function formatAnswer(answer: LaneAnswer): Buffer {
  const rest = Buffer.alloc(3)
  rest[0] = statuses.indexOf(answer.status)
  rest.writeUInt16BE(answer.version, 1)
  return Buffer.concat([magic, rest, answer.instance])
}

/** Reads an answer; `undefined` for anything else. */
export function tryParseAnswer(bytes: Buffer): LaneAnswer | undefined {
  if (bytes.length !== answerBytes || !bytes.subarray(0, magic.length).equals(magic)) return undefined
  const status = statuses[bytes[magic.length] ?? 255]
  if (status === undefined) return undefined
  return { status, version: bytes.readUInt16BE(magic.length + 1), instance: bytes.subarray(magic.length + 3) }
}
