import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { ConnectivityError, type KeyManagementSystem } from '@sallyport/core'

/** A key management system in memory, whose keys can be taken back and given again. A key comes into being when it is first used. */
export interface MemoryKeySystem extends KeyManagementSystem {
  /** How often anything was wrapped and unwrapped. */
  readonly calls: { wrapped: number; unwrapped: number }
  /** Everything that was handed over to be wrapped. */
  readonly seen: readonly Buffer[]
  /** From now on the key is refused, until {@link MemoryKeySystem.restore}. */
  revoke(name: string): void
  restore(name: string): void
  /** Adds a version. */
  rotate(name: string): void
  /** Versions but the newest unwrap nothing any more. */
  retire(name: string): void
  /** `true`: nobody answers. */
  down: boolean
}

interface Version {
  readonly secret: Buffer
  retired: boolean
}

export function createMemoryKeySystem(): MemoryKeySystem {
  const keys = new Map<string, Version[]>()
  const revoked = new Set<string>()
  const seen: Buffer[] = []
  const calls = { wrapped: 0, unwrapped: 0 }
  const versionsOf = (name: string): Version[] => {
    const known = keys.get(name) ?? [{ secret: randomBytes(32), retired: false }]
    keys.set(name, known)
    return known
  }
  const admit = (name: string): void => {
    if (system.down) throw new ConnectivityError('SERVICE_UNAVAILABLE', `secret-system-name does not answer for ${name}`)
    if (revoked.has(name)) throw refused(name)
  }
  const refused = (name: string): ConnectivityError =>
    new ConnectivityError('ENCRYPTION_KEY_UNAVAILABLE', `secret-system-name refuses the key ${name}`)
  const system: MemoryKeySystem = {
    calls,
    seen,
    down: false,
    revoke: (name) => void revoked.add(name),
    restore: (name) => void revoked.delete(name),
    rotate: (name) => void versionsOf(name).push({ secret: randomBytes(32), retired: false }),
    retire(name) {
      for (const version of versionsOf(name).slice(0, -1)) version.retired = true
    },
    key: (name) => ({
      wrap(plaintext) {
        return settled(() => {
          calls.wrapped += 1
          admit(name)
          seen.push(Buffer.from(plaintext))
          const versions = versionsOf(name)
          const nonce = randomBytes(12)
          const cipher = createCipheriv('aes-256-gcm', versions.at(-1)?.secret ?? Buffer.alloc(0), nonce)
          const body = Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
          return `${versions.length - 1}:${body.toString('base64')}`
        })
      },
      unwrap(wrapped) {
        return settled(() => {
          calls.unwrapped += 1
          admit(name)
          const [version = '', body = ''] = wrapped.split(':')
          const { secret, retired } = versionsOf(name)[Number(version)] ?? { secret: Buffer.alloc(32), retired: true }
          if (retired) throw refused(name)
          const bytes = Buffer.from(body, 'base64')
          try {
            const decipher = createDecipheriv('aes-256-gcm', secret, bytes.subarray(0, 12), { authTagLength: 16 })
            decipher.setAuthTag(bytes.subarray(-16))
            return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()])
          } catch {
            throw refused(name)
          }
        })
      },
      describe: () =>
        settled(() => {
          admit(name)
          return { version: String(versionsOf(name).length), algorithm: 'AES-256-GCM' }
        }),
    }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
  return system
}

/** Throws as a call over a network would: with the promise. */
function settled<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => resolve(work()))
}
