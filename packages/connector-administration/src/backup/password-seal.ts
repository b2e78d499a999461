import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import { backupScryptCost, maxBackupScryptCost } from '../limits.ts'

/** How a key is made of a password: scrypt (RFC 7914) with r = 8, p = 1, salt in base64url, and the exponent of its N. */
export interface PasswordLock {
  readonly salt: string
  readonly cost: number
}

const derive = promisify<string, Buffer, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(scrypt)
const nonceBytes = 12
const tagBytes = 16

/** Encrypts with AES-256-GCM under a key made of the password. `context` is authenticated with it. */
export async function sealWithPassword(
  content: Buffer,
  password: string,
  contextOf: (lock: PasswordLock) => string,
): Promise<{ readonly sealed: Buffer; readonly context: string }> {
  const lock: PasswordLock = { salt: randomBytes(16).toString('base64url'), cost: backupScryptCost }
  const context = contextOf(lock)
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', await keyOf(password, lock), nonce, { authTagLength: tagBytes })
  cipher.setAAD(Buffer.from(context))
  return { sealed: Buffer.concat([nonce, cipher.update(content), cipher.final(), cipher.getAuthTag()]), context }
}

/** Decrypts; `undefined` for a wrong password, and for anything that was changed. */
export async function openWithPassword(sealed: Buffer, password: string, lock: PasswordLock, context: string): Promise<Buffer | undefined> {
  if (sealed.length < nonceBytes + tagBytes || lock.cost > maxBackupScryptCost) return undefined
  const decipher = createDecipheriv('aes-256-gcm', await keyOf(password, lock), sealed.subarray(0, nonceBytes), { authTagLength: tagBytes })
  decipher.setAAD(Buffer.from(context))
  decipher.setAuthTag(sealed.subarray(-tagBytes))
  try {
    return Buffer.concat([decipher.update(sealed.subarray(nonceBytes, -tagBytes)), decipher.final()])
  } catch {
    return undefined
  }
}

async function keyOf(password: string, { cost, salt }: PasswordLock): Promise<Buffer> {
  const N = 2 ** cost
  return await derive(password.normalize('NFC'), Buffer.from(salt, 'base64url'), 32, { N, r: 8, p: 1, maxmem: 256 * N * 8 })
}
