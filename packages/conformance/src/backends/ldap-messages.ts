import type { FarEnd } from '../far-side.ts'

/** Writes one element; lengths in the short or the four-byte form. */
export function tlv(tag: number, ...contents: readonly (Buffer | string)[]): Buffer {
  const content = Buffer.concat(contents.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))
  if (content.length < 0x80) return Buffer.concat([Buffer.of(tag, content.length), content])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(content.length)
  return Buffer.concat([Buffer.of(tag, 0x84), length, content])
}

/** A message to the client. */
export function message(id: number, operation: Buffer, ...controls: readonly Buffer[]): Buffer {
  return tlv(
    0x30,
    tlv(0x02, id < 0x80 ? Buffer.of(id) : Buffer.of(id >> 8, id & 0xff)),
    operation,
    ...controls.map((control) => tlv(0xa0, control)),
  )
}

/** Says where the next page begins (RFC 2696); an empty cookie says that there is none. */
export function pageControl(cookie: string): Buffer {
  return tlv(0x30, tlv(0x04, '1.2.840.113556.1.4.319'), tlv(0x04, tlv(0x30, tlv(0x02, Buffer.of(0)), tlv(0x04, cookie))))
}

/** An operation that is a result. */
export function result(tag: number, code: number, diagnostic = '', ...more: readonly Buffer[]): Buffer {
  return tlv(tag, tlv(0x0a, Buffer.of(code)), tlv(0x04), tlv(0x04, diagnostic), ...more)
}

/** A search entry with one attribute. */
export function entry(dn: string, attribute: string, ...values: readonly (string | Buffer)[]): Buffer {
  const set = tlv(0x31, ...values.map((value) => tlv(0x04, value)))
  return tlv(0x64, tlv(0x04, dn), tlv(0x30, tlv(0x30, tlv(0x04, attribute), set)))
}

/** What a client of these tests sends: one short message at a time. */
export interface Request {
  readonly id: number
  readonly operation: number
  readonly bytes: Buffer
}

/** Calls back for every request. Written from RFC 4511 and from no code of the product. */
export function onRequest({ stream }: FarEnd, callback: (request: Request) => void): void {
  let held = Buffer.alloc(0)
  stream.on('error', () => {})
  stream.on('end', () => stream.end())
  stream.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk])
    for (let whole = take(); whole !== undefined; whole = take()) callback(whole)
  })
  const take = (): Request | undefined => {
    const long = (held[1] ?? 0) & 0x80
    const headerBytes = long === 0 ? 2 : 2 + ((held[1] ?? 0) & 0x7f)
    if (held.length < headerBytes) return undefined
    const end = headerBytes + (long === 0 ? held.readUInt8(1) : held.readUIntBE(2, headerBytes - 2))
    if (held.length < end) return undefined
    const bytes = held.subarray(0, end)
    held = held.subarray(end)
    const idBytes = bytes.readUInt8(headerBytes + 1)
    const id = bytes.readUIntBE(headerBytes + 2, idBytes)
    return { id, operation: bytes.readUInt8(headerBytes + 2 + idBytes), bytes }
  }
}

/** Operations of requests. */
export const tags: { readonly bind: number; readonly search: number; readonly unbind: number; readonly extended: number } = {
  bind: 0x60,
  search: 0x63,
  unbind: 0x42,
  extended: 0x77,
}
