/** ASN.1 tags in use, with class and constructed bits (X.690 §8.1.2). */
export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const

/** `[number]` of the context class. */
export function contextTag(number: number, constructed: boolean): number {
  return (constructed ? 0xa0 : 0x80) | number
}

/** One element in distinguished encoding: shortest definite length, parts copied once. */
export function encode(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  let length = 0
  for (const part of parts) length += part.length
  const lengthOctets = length < 0x80 ? 0 : length < 0x100 ? 1 : length < 0x1_0000 ? 2 : length < 0x100_0000 ? 3 : 4
  const element = Buffer.allocUnsafe(2 + lengthOctets + length)
  element[0] = tag
  if (lengthOctets === 0) {
    element[1] = length
  } else {
    element[1] = 0x80 | lengthOctets
    element.writeUIntBE(length, 2, lengthOctets)
  }
  let offset = 2 + lengthOctets
  for (const part of parts) {
    element.set(part, offset)
    offset += part.length
  }
  return element
}

/** A SEQUENCE of complete elements. */
export function sequence(...parts: readonly Uint8Array[]): Buffer {
  return encode(tags.sequence, ...parts)
}

/** A non-negative INTEGER from big-endian octets: leading zeros go, one comes back where the sign bit would be set. */
export function integer(unsigned: Uint8Array): Buffer {
  let start = 0
  while (start < unsigned.length - 1 && unsigned[start] === 0) start++
  const minimal = unsigned.subarray(start)
  if (minimal.length === 0) return encode(tags.integer, zero)
  return (minimal[0] ?? 0) >= 0x80 ? encode(tags.integer, zero, minimal) : encode(tags.integer, minimal)
}

/** A BIT STRING of whole octets. */
export function bitString(octets: Uint8Array): Buffer {
  return encode(tags.bitString, zero, octets)
}

/** A BIT STRING of named bits: trailing zero bits are left out (X.690 §11.2.2). Bit 0 is the most significant one. */
export function namedBits(bits: readonly number[]): Buffer {
  const highest = Math.max(-1, ...bits)
  if (highest < 0) return encode(tags.bitString, zero)
  const octets = Buffer.alloc(1 + (highest >> 3) + 1)
  octets[0] = 7 - (highest & 7)
  for (const bit of bits) octets[1 + (bit >> 3)] = (octets[1 + (bit >> 3)] ?? 0) | (0x80 >> (bit & 7))
  return encode(tags.bitString, octets)
}

/** An OCTET STRING. */
export function octetString(octets: Uint8Array): Buffer {
  return encode(tags.octetString, octets)
}

export const derTrue: Buffer = Buffer.from([tags.boolean, 1, 0xff])
export const derNull: Buffer = Buffer.from([tags.null, 0])

const zero = Buffer.from([0])
