/** What the content of a file looks like. */
export type KeystoreFormat = 'certificates' | 'pkcs12' | 'jks'

const kinds: Readonly<Record<string, 'certificates' | 'keystore'>> = {
  pem: 'certificates',
  crt: 'certificates',
  cer: 'certificates',
  der: 'certificates',
  p12: 'keystore',
  pfx: 'keystore',
  jks: 'keystore',
}

/** What the extension of a name promises, or `undefined` for one that means nothing here. */
export function kindOfName(name: string): 'certificates' | 'keystore' | undefined {
  const extension = /\.([A-Za-z0-9]{1,10})$/.exec(name)?.[1]?.toLowerCase() ?? ''
  return Object.hasOwn(kinds, extension) ? kinds[extension] : undefined
}

/**
 * Tells the format by the extension and, for key stores, by the first bytes. `undefined` when the extension is unknown or the content no key store at all.
 * Whether the rest can be read is another question, and takes the password.
 */
export function tryReadFormat({ name, content }: { readonly name: string; readonly content: Buffer }): KeystoreFormat | undefined {
  const kind = kindOfName(name)
  if (kind !== 'keystore') return kind
  if (content.length >= 12 && content.readUInt32BE(0) === jksMagic) return 'jks'
  return startsLikePkcs12(content) ? 'pkcs12' : undefined
}

const jksMagic = 0xfeed_feed

/** PFX ::= SEQUENCE { version INTEGER 3, … }, whose length may be indefinite. */
function startsLikePkcs12(content: Buffer): boolean {
  if (content[0] !== 0x30 || content[1] === undefined) return false
  const lengthOctets = content[1] > 0x80 ? content[1] & 0x7f : 0
  return lengthOctets <= 4 && content.subarray(2 + lengthOctets, 5 + lengthOctets).equals(versionThree)
}

const versionThree = Buffer.from([0x02, 0x01, 0x03])
