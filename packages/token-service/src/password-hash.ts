import { scrypt, timingSafeEqual } from 'node:crypto'
import { ConnectivityError } from '@sallyport/core'
import { maxPasswordHashCostFactor, maxPasswordLength, passwordHashConcurrency, passwordHashCost, passwordHashQueue } from './limits.ts'
import type { RandomSource } from './random.ts'

const keyBytes = 32
const saltBytes = 16

/** Hashes and checks user passwords, a bounded number at a time. */
export interface PasswordHasher {
  /** The stored form: `scrypt$<log2 N>$<r>$<p>$<salt>$<hash>`. */
  hash(password: string): Promise<string>
  /**
   * Whether the password belongs to the stored form. Without a stored form the same work is done and the answer is `false`, so that the time taken does
   * not tell which users exist.
   *
   * @throws ConnectivityError `SERVICE_UNAVAILABLE` when too many are waiting already.
   */
  verify(password: string, stored: string | undefined): Promise<boolean>
}

/** Creates the hasher; all log-ons of a process share one, because they share its threads. */
export function createPasswordHasher({ random }: { readonly random: RandomSource }): PasswordHasher {
  const decoy = formatHash(passwordHashCost, random(saltBytes), random(keyBytes))
  let running = 0
  const waiting: (() => void)[] = []

  async function inTurn<T>(work: () => Promise<T>, mayRefuse: boolean): Promise<T> {
    if (running >= passwordHashConcurrency) {
      if (mayRefuse && waiting.length >= passwordHashQueue) {
        throw new ConnectivityError('SERVICE_UNAVAILABLE', 'too many log-ons at once; try again in a second')
      }
      // The one who leaves hands its place over, so the count stays as it is.
      await new Promise<void>((resolve) => waiting.push(resolve))
    } else running++
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) running--
      else next()
    }
  }

  return {
    hash: (password) =>
      inTurn(async () => {
        const salt = random(saltBytes)
        return formatHash(passwordHashCost, salt, await derive(password, salt, passwordHashCost))
      }, false),
    async verify(password, stored) {
      if (password.length > maxPasswordLength) return false
      const parsed = parseHash(stored ?? decoy)
      if (parsed === undefined) {
        throw new ConnectivityError('CONFIGURATION_INVALID', 'a stored password is not in the form scrypt$<log2 N>$<r>$<p>$<salt>$<hash>')
      }
      const actual = await inTurn(() => derive(password, parsed.salt, parsed.cost), true)
      return timingSafeEqual(actual, parsed.key) && stored !== undefined
    },
  }
}

/** Whether a text is a stored password that costs at least what ours do, and not so much that log-ons stand still. */
export function isPasswordHash(text: string): boolean {
  return parseHash(text) !== undefined
}

interface Cost {
  readonly logN: number
  readonly r: number
  readonly p: number
}

function formatHash(cost: Cost, salt: Buffer, key: Buffer): string {
  return `scrypt$${cost.logN}$${cost.r}$${cost.p}$${salt.toString('base64url')}$${key.toString('base64url')}`
}

function parseHash(text: string): { readonly cost: Cost; readonly salt: Buffer; readonly key: Buffer } | undefined {
  const [, logN, r, p, salt, key] = /^scrypt\$(\d{1,2})\$(\d)\$(\d{1,2})\$([\w-]{22})\$([\w-]{43})$/.exec(text) ?? []
  if (salt === undefined || key === undefined) return undefined
  const cost = { logN: Number(logN), r: Number(r), p: Number(p) }
  const work = 2 ** cost.logN * cost.r * cost.p
  const ours = 2 ** passwordHashCost.logN * passwordHashCost.r * passwordHashCost.p
  if (work < ours || work > ours * maxPasswordHashCostFactor || cost.logN > 17) return undefined
  return { cost, salt: Buffer.from(salt, 'base64url'), key: Buffer.from(key, 'base64url') }
}

function derive(password: string, salt: Buffer, { logN, r, p }: Cost): Promise<Buffer> {
  const N = 2 ** logN
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFC'), salt, keyBytes, { N, r, p, maxmem: 256 * N * r }, (error, key) =>
      error === null ? resolve(key) : reject(error),
    )
  })
}
