/** A keytab (version 0x0502) with keys that open nothing. Principals have their realm. */
export function createTestKeytab(keys: readonly { readonly principal: string; readonly encryption: number }[]): Buffer {
  return Buffer.concat([Buffer.of(5, 2), ...keys.map(entryOf)])
}

function entryOf({ encryption, principal }: { readonly principal: string; readonly encryption: number }): Buffer {
  const at = principal.lastIndexOf('@')
  const names = principal.slice(0, at).split('/')
  const entry = Buffer.concat([
    short(names.length),
    ...[principal.slice(at + 1), ...names].map((text) => counted(Buffer.from(text))),
    // Type of the name, time, version of the key.
    Buffer.of(0, 0, 0, 1, 0, 0, 0, 0, 1),
    short(encryption),
    counted(Buffer.alloc(32, 7)),
  ])
  const length = Buffer.alloc(4)
  length.writeInt32BE(entry.length)
  return Buffer.concat([length, entry])
}

function counted(content: Buffer): Buffer {
  return Buffer.concat([short(content.length), content])
}

function short(value: number): Buffer {
  return Buffer.of(value >> 8, value & 255)
}
