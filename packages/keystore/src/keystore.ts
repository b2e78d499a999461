import { readCertificateFile } from './certificate-file.ts'
import { readJks } from './jks-reader.ts'
import { tryReadFormat } from './keystore-format.ts'
import { createKeyWork } from './key-work.ts'
import { unreadable } from './keystore-errors.ts'
import { maxKeystoreBytes, maxPasswordCharacters } from './limits.ts'
import { readPkcs12 } from './pkcs12-reader.ts'

/** A certificate with what certifies it, and its private key when there is one and it could be opened. */
export interface KeystoreEntry {
  /** Key stores give names to their entries; certificate files do not. */
  readonly alias?: string
  /** PEM, leaf first, then what issued each; at least one. */
  readonly certificates: readonly string[]
  /** PEM, PKCS #8, not encrypted. It belongs to the first certificate. */
  readonly privateKey?: string
}

/** What a certificate file or key store holds. */
export interface Keystore {
  /** Entries with a private key come first, in the order of the file. */
  readonly entries: readonly KeystoreEntry[]
  /** PEM of all certificates that belong to no private key, in the order of the file: what it trusts when used as a trust store. */
  readonly trusted: readonly string[]
  /** Whether it has private keys that the given password, or none, does not open; their entries lack `privateKey`. */
  readonly locked: boolean
}

/** A file to be read. */
export interface KeystoreFile {
  /** Decides the format by its extension, whatever its letter case: `pem`, `crt`, `cer`, `der`, `p12`, `pfx`, `jks`. */
  readonly name: string
  readonly content: Buffer
  /** Of the key store, and of encrypted private keys in PEM. Without one the public parts are still read where the format allows. */
  readonly password?: string | undefined
  /** Of the private keys in PKCS #12, where it is another one; keytool makes none such, Java does. */
  readonly keyPassword?: string | undefined
  /** `brief` gives up on files that take more than about 50 ms of deriving keys, for looking into many of them; everything is tried unless told. */
  readonly effort?: 'brief'
}

/**
 * Reads a certificate file or key store. Certificate files (`pem`, `crt`, `cer`, `der`) are PEM, or one certificate in DER. Key stores are PKCS #12 or JKS,
 * whichever their first bytes say, as JDKs give either form to files of any of the three extensions.
 *
 * Sizes, counts and iterations are bounded before time is spent on them; the largest file takes about two seconds, in which others have their turns. Who reads
 * the same file often should keep the result.
 *
 * @throws ConnectivityError `MESSAGE_INVALID`; see {@link isPasswordRefused}. Nothing of the content is in the message, and there is no cause.
 */
export async function readKeystore({ name, content, password, keyPassword, effort }: KeystoreFile): Promise<Keystore> {
  const what = `the file ${JSON.stringify(name)}`
  if (content.length > maxKeystoreBytes) throw unreadable(what, `is larger than ${maxKeystoreBytes} bytes`)
  if ([password, keyPassword].some((each) => (each ?? '').length > maxPasswordCharacters))
    throw unreadable(what, `has a password of more than ${maxPasswordCharacters} characters`)
  const work = createKeyWork(what, effort)
  switch (tryReadFormat({ name, content })) {
    case 'certificates':
      return readCertificateFile(content, { what, password, work })
    case 'pkcs12':
      return readPkcs12(content, { what, password, keyPassword, work })
    case 'jks':
      return readJks(content, { what, password })
    case undefined:
      throw unreadable(
        what,
        'is no certificate file or key store: its extension must be pem, crt, cer, der, p12, pfx or jks, and its content of that kind',
      )
  }
}
