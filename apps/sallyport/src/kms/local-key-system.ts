import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  constants,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
} from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ConnectivityError, type KeyManagementSystem } from '@sallyport/core'

const maxKeyFileBytes = 65_536
/** Files that are looked at for one key: the one in use, and those before it. */
const maxKeyFiles = 20
const [nonceBytes, tagBytes, aesKeyBytes] = [12, 16, 32]
const minRsaBits = 2_048
const oaep = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' } as const

/** A key that was read from a file. */
interface LocalKey {
  /** Part of the digest of the public key, or of the secret one with a text before it: says which key has wrapped something. */
  readonly id: string
  readonly algorithm: string
  wrap(plaintext: Buffer): Buffer
  unwrap(wrapped: Buffer): Buffer
}

/**
 * Keys in a folder, for customers who bring a file, a mounted secret or a removable medium: `<name>.pem` holds an RSA private key (PKCS #8), `<name>.key` 32 bytes
 * in Base64. Files are read for each call, so a key is taken back by removing its file. `<name>.<anything>.pem` and `.key` are earlier versions that still unwrap,
 * which is why names of keys have no dot: `acme.eu.pem` is a version of `acme`, and never a key of somebody else.
 */
export function createLocalKeySystem(options: { readonly folder: string; readonly passphrase?: () => string }): KeyManagementSystem {
  const { folder, passphrase } = options

  async function read(file: string): Promise<LocalKey> {
    const path = join(folder, file)
    const { size } = await stat(path)
    if (size > maxKeyFileBytes) throw unusable(path, `is larger than ${maxKeyFileBytes} bytes`)
    const text = await readFile(path, 'utf8')
    return file.endsWith('.pem') ? rsaKey(text, path, passphrase?.()) : aesKey(text, path)
  }

  async function current(name: string): Promise<LocalKey> {
    const files = await filesOf(folder, name)
    const [file, ...more] = files.filter((candidate) => candidate === `${name}.pem` || candidate === `${name}.key`)
    if (file === undefined) throw unavailable(`there is no file ${name}.pem or ${name}.key in ${folder}`)
    if (more.length > 0) throw unusable(join(folder, name), 'is there as .pem and as .key; keep one')
    return read(file)
  }

  return {
    key: (name) => ({
      wrap: (plaintext) =>
        attempt(folder, async () => {
          const key = await current(name)
          return `local:${key.id}:${key.wrap(plaintext).toString('base64')}`
        }),
      unwrap: (wrapped) =>
        attempt(folder, async () => {
          const [, id, body] = /^local:([\w-]+):([\w+/=]+)$/.exec(wrapped) ?? []
          if (id === undefined || body === undefined) throw unavailable(`what ${name} should unwrap was wrapped by another system`)
          for (const file of await filesOf(folder, name)) {
            const key = await read(file)
            if (key.id === id) return key.unwrap(Buffer.from(body, 'base64'))
          }
          throw unavailable(`no file of the key ${name} in ${folder} holds the version ${id}`)
        }),
      describe: () =>
        attempt(folder, async () => {
          const { id, algorithm } = await current(name)
          return { version: id, algorithm }
        }),
    }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

/** The file in use and those before it. */
async function filesOf(folder: string, name: string): Promise<readonly string[]> {
  if (!/^[A-Za-z0-9_-]{1,128}$/.test(name))
    throw unavailable(
      'a key in a folder is called with letters, digits, "_" and "-"; what follows a dot in the name of its file is a version of it',
    )
  const files = (await readdir(folder)).filter((file) => file.startsWith(`${name}.`) && /\.(pem|key)$/.test(file))
  if (files.length > maxKeyFiles) throw unavailable(`${folder} holds more than ${maxKeyFiles} files of the key ${name}`)
  return files.toSorted((a, b) => a.length - b.length)
}

function rsaKey(pem: string, path: string, passphrase: string | undefined): LocalKey {
  let key: KeyObject
  try {
    key = createPrivateKey({ key: pem, ...(passphrase === undefined ? {} : { passphrase }) })
  } catch {
    // What OpenSSL says may depend on the passphrase.
    throw unusable(path, 'does not hold a private key that opens')
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0
  if (key.asymmetricKeyType !== 'rsa' || bits < minRsaBits) throw unusable(path, `has to hold an RSA key of ${minRsaBits} bits or more`)
  const publicKey = createPublicKey(key)
  return {
    id: idOf(publicKey.export({ type: 'spki', format: 'der' })),
    algorithm: `RSA ${bits}, OAEP with SHA-256`,
    wrap: (plaintext) => publicEncrypt({ key: publicKey, ...oaep }, plaintext),
    unwrap: (wrapped) => privateDecrypt({ key, ...oaep }, wrapped),
  }
}

function aesKey(text: string, path: string): LocalKey {
  const key = Buffer.from(text.trim(), 'base64')
  if (key.length !== aesKeyBytes) throw unusable(path, `has to hold the Base64 of ${aesKeyBytes} bytes`)
  return {
    id: idOf(Buffer.concat([Buffer.from('sallyport local key\0'), key])),
    algorithm: 'AES-256-GCM',
    wrap(plaintext) {
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
      return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
    },
    unwrap(wrapped) {
      const decipher = createDecipheriv('aes-256-gcm', key, wrapped.subarray(0, nonceBytes), { authTagLength: tagBytes })
      decipher.setAuthTag(wrapped.subarray(-tagBytes))
      return Buffer.concat([decipher.update(wrapped.subarray(nonceBytes, -tagBytes)), decipher.final()])
    },
  }
}

function idOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest().subarray(0, 8).toString('base64url')
}

/** Whatever is wrong with a file, the key cannot be used until somebody does something about it. */
async function attempt<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (ConnectivityError.is(cause)) throw cause
    const { code } = cause as NodeJS.ErrnoException
    throw unavailable(
      code === undefined || code.startsWith('ERR_')
        ? `a key in ${folder} does not fit what it should unwrap`
        : `a key in ${folder} cannot be read (${code})`,
    )
  }
}

function unusable(path: string, how: string): ConnectivityError {
  return unavailable(`${path} ${how}`)
}

function unavailable(message: string): ConnectivityError {
  return new ConnectivityError('ENCRYPTION_KEY_UNAVAILABLE', message)
}
