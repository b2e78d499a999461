import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { ConnectivityError, type CustomerKey, type KeyManagementSystem, maxWrappedKeyLength } from '@sallyport/core'
import type { Case } from './case.ts'
import { expect } from './expect.ts'

export type KeySystemFeature =
  /** There is something that can fail to answer. */
  | 'outages'
  /** It shows versions and algorithms of keys. */
  | 'descriptions'

/** A key management system with a key that is there and can be used, and whoever looks after it. */
export interface KeySystemWorld extends AsyncDisposable {
  readonly system: KeyManagementSystem
  /** A key that can be used, and another one. */
  readonly names: readonly [string, string]
  /** A name that no key has. */
  readonly unknown: string
  /** The owner takes the key back. */
  revoke(name: string): Promise<void>
  /** The owner gives it back. */
  restore(name: string): Promise<void>
  /** The owner makes another version; the earlier ones still unwrap. */
  rotate(name: string): Promise<void>
  /** Lets only the newest version unwrap. */
  retire(name: string): Promise<void>
  /** From now on nothing answers. */
  breakDown?(): Promise<void>
}

/** What a case of the suite gets. */
export interface KeySystemContext {
  readonly world: KeySystemWorld
  /** Tokens and the like; no error may show them. */
  readonly secrets: readonly string[]
  readonly signal: AbortSignal
}

export type KeySystemCase = Case<KeySystemContext, KeySystemFeature>

/** What every key management system does. */
export const keySystemCases: Readonly<Record<KeySystemCaseName, KeySystemCase>> = {
  'gives back what it has wrapped, as a text that shows nothing of it and is another one each time': {
    async run({ world, signal }) {
      const key = world.system.key(world.names[0])
      const plaintext = randomBytes(32)
      const texts = [await key.wrap(plaintext, signal), await key.wrap(plaintext, signal)]
      expect(texts[0] === texts[1]).toBe(false)
      for (const text of texts) {
        expect(text).toMatch(/^[\x21-\x7e]+$/)
        expect(text.length).toBeLessThanOrEqual(maxWrappedKeyLength)
        for (const encoding of ['hex', 'base64', 'base64url', 'latin1'] as const) expect(text).not.toContain(plaintext.toString(encoding))
        expect((await key.unwrap(text, signal)).equals(plaintext)).toBe(true)
      }
    },
  },
  'unwraps nothing that another key has wrapped, and nothing that was changed': {
    async run(context) {
      const { world, signal } = context
      const [one, other] = world.names.map((name) => world.system.key(name)) as [CustomerKey, CustomerKey]
      const wrapped = await one.wrap(randomBytes(32), signal)
      await refuses(context, () => other.unwrap(wrapped, signal))
      const at = wrapped.length - 6
      const changed = wrapped.slice(0, at) + (wrapped[at] === 'A' ? 'B' : 'A') + wrapped.slice(at + 1)
      await refuses(context, () => one.unwrap(changed, signal))
      for (const nonsense of ['', 'x', 'vault:v1:', 'vault:v99:AAAA', 'local::', '\u0000'])
        await refuses(context, () => one.unwrap(nonsense, signal))
    },
  },
  'refuses a key that is not there, and makes none by being asked': {
    async run(context) {
      const { world, signal } = context
      const key = world.system.key(world.unknown)
      await refuses(context, () => key.wrap(randomBytes(32), signal))
      await refuses(context, () => key.wrap(randomBytes(32), signal))
      await refuses(context, () => key.describe(signal))
      for (const odd of ['', '..', '../secret', 'a/b', 'a b', '%2e%2e', 'a\r\nb'])
        await refuses(context, () => world.system.key(odd).wrap(randomBytes(32), signal))
    },
  },
  'refuses at once what its owner has taken back, and works again when it is given back': {
    async run(context) {
      const { world, signal } = context
      const [name] = world.names
      const key = world.system.key(name)
      const plaintext = randomBytes(32)
      const wrapped = await key.wrap(plaintext, signal)
      await world.revoke(name)
      await refuses(context, () => key.unwrap(wrapped, signal))
      await world.restore(name)
      expect((await key.unwrap(wrapped, signal)).equals(plaintext)).toBe(true)
    },
  },
  'wraps with the newest version and unwraps with the one that has wrapped, until that is retired': {
    async run(context) {
      const { world, signal } = context
      const [name] = world.names
      const key = world.system.key(name)
      const plaintext = randomBytes(32)
      const old = await key.wrap(plaintext, signal)
      await world.rotate(name)
      const young = await key.wrap(plaintext, signal)
      for (const text of [old, young]) expect((await key.unwrap(text, signal)).equals(plaintext)).toBe(true)
      await world.retire(name)
      await refuses(context, () => key.unwrap(old, signal))
      expect((await key.unwrap(young, signal)).equals(plaintext)).toBe(true)
    },
  },
  'tells the version in use': {
    requires: 'descriptions',
    async run({ world, signal }) {
      const [name] = world.names
      const key = world.system.key(name)
      const before = await key.describe(signal)
      expect(before.version ?? '', 'version').toMatch(/./)
      expect(before.algorithm ?? '', 'algorithm').toMatch(/./)
      await world.rotate(name)
      expect((await key.describe(signal)).version === before.version).toBe(false)
    },
  },
  'says that it does not answer in another way than that it refuses': {
    requires: 'outages',
    async run(context) {
      const { world, signal } = context
      const key = world.system.key(world.names[0])
      const wrapped = await key.wrap(randomBytes(32), signal)
      await world.breakDown?.()
      const error = await failureOf(context, () => key.unwrap(wrapped, signal))
      expect(error.code).toMatch(/^(SERVICE_UNAVAILABLE|PEER_UNREACHABLE|PEER_UNTRUSTED|DEADLINE_EXCEEDED)$/)
    },
  },
  'serves many at the same time': {
    async run({ world, signal }) {
      const key = world.system.key(world.names[0])
      const all = Array.from({ length: 20 }, () => randomBytes(32))
      const back = await Promise.all(all.map(async (plaintext) => key.unwrap(await key.wrap(plaintext, signal), signal)))
      expect(back.map((bytes) => bytes.toString('hex'))).toEqual(all.map((bytes) => bytes.toString('hex')))
    },
  },
}

export type KeySystemCaseName =
  | 'gives back what it has wrapped, as a text that shows nothing of it and is another one each time'
  | 'unwraps nothing that another key has wrapped, and nothing that was changed'
  | 'refuses a key that is not there, and makes none by being asked'
  | 'refuses at once what its owner has taken back, and works again when it is given back'
  | 'wraps with the newest version and unwraps with the one that has wrapped, until that is retired'
  | 'tells the version in use'
  | 'says that it does not answer in another way than that it refuses'
  | 'serves many at the same time'

async function refuses(context: KeySystemContext, attempt: () => Promise<unknown>): Promise<void> {
  expect((await failureOf(context, attempt)).code).toBe('ENCRYPTION_KEY_UNAVAILABLE')
}

/** What an attempt fails with, which is one of ours and shows no secret. */
async function failureOf({ secrets }: KeySystemContext, attempt: () => Promise<unknown>): Promise<ConnectivityError> {
  const outcome: unknown = await attempt().then(
    () => new Error('nothing failed'),
    (error: unknown) => error,
  )
  const shown = inspect(outcome, { depth: 10 })
  for (const secret of secrets) expect(shown).not.toContain(secret)
  if (!ConnectivityError.is(outcome)) throw outcome
  return outcome
}
