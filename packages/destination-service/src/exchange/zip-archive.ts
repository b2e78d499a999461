import { crc32, deflateRawSync } from 'node:zlib'

/** Makes a ZIP archive (PKWARE APPNOTE 6.3) of files that fit in memory. Names are relative and harmless; that is the caller's business. */
export function createZipArchive(files: readonly { readonly name: string; readonly content: Buffer }[], nowMs: number): Buffer {
  const bodies: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const { name, content } of files) {
    const nameBytes = Buffer.from(name, 'utf8')
    const packed = deflateRawSync(content)
    const shared = sharedFields(content, packed, nameBytes, nowMs)
    const local = Buffer.concat([uint32(0x04034b50), shared, nameBytes, packed])
    // Made by version 2.0 for Unix; no comment, first disk, a regular file that its owner reads and writes.
    const attributes = Buffer.concat([uint16(0), uint16(0), uint16(0), uint32((0o100_600 << 16) >>> 0), uint32(offset)])
    directory.push(Buffer.concat([uint32(0x02014b50), uint16(0x0314), shared, attributes, nameBytes]))
    bodies.push(local)
    offset += local.length
  }
  const entries = Buffer.concat(directory)
  const end = [
    uint32(0x06054b50),
    uint16(0),
    uint16(0),
    uint16(files.length),
    uint16(files.length),
    uint32(entries.length),
    uint32(offset),
    uint16(0),
  ]
  return Buffer.concat([...bodies, entries, ...end])
}

/** From "version needed" to "extra field length": the same in both headers. Bit 11 says that the name is UTF-8, method 8 is deflate. */
function sharedFields(content: Buffer, packed: Buffer, name: Buffer, nowMs: number): Buffer {
  const { time, date } = dosTime(nowMs)
  return Buffer.concat([
    ...[20, 0x0800, 8, time, date].map(uint16),
    ...[crc32(content), packed.length, content.length].map(uint32),
    ...[name.length, 0].map(uint16),
  ])
}

/** Two-second steps since 1980, in UTC. */
function dosTime(ms: number): { readonly time: number; readonly date: number } {
  const at = new Date(Math.max(ms, Date.UTC(1980, 0, 1)))
  return {
    time: (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1),
    date: ((at.getUTCFullYear() - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate(),
  }
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16LE(value)
  return bytes
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
