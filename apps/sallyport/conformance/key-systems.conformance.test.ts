import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeKeySystem, type KeySystemWorld } from '@sallyport/conformance'
import { createManualClock, createMemoryKeySystem, createTransitServer, type TransitServer } from '@sallyport/test-fixtures'
import { describe, expect, it } from 'vitest'
import { createLocalKeySystem } from '../src/kms/local-key-system.ts'
import { createTransitSystem } from '../src/kms/transit-system.ts'
import { createAppRoleLogOn, createTokenLogOn } from '../src/kms/vault-log-on.ts'
import { createRequester } from '../src/stack/request.ts'

describeKeySystem('in memory', {
  features: { outages: true, descriptions: true },
  // Keys come into being when they are used, and there is no other side that could look at names.
  knownGaps: { 'refuses a key that is not there, and makes none by being asked': 'made for tests of those who use it' },
  open: async () => {
    const system = createMemoryKeySystem()
    return {
      system,
      names: ['one', 'two'],
      unknown: 'three',
      revoke: async (name) => system.revoke(name),
      restore: async (name) => system.restore(name),
      rotate: async (name) => system.rotate(name),
      retire: async (name) => system.retire(name),
      breakDown: async () => void (system.down = true),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }
  },
})

const passphrase = 'c0rrect horse'
const contents = {
  key: (): string => `${randomBytes(32).toString('base64')}\n`,
  pem: (): string =>
    generateKeyPairSync('rsa', {
      modulusLength: 2_048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase },
    }).privateKey,
}

describe.each(['key', 'pem'] as const)('with files that end in .%s', (ending) => {
  describeKeySystem('a folder', {
    features: { outages: false, descriptions: true },
    secrets: () => [passphrase],
    open: () => openFolder(ending),
  })
})

describe('names of keys in a folder', () => {
  it.each(['acme.eu', 'acme.', '.acme', '', '../acme', 'a'.repeat(129)])('are not called %j: a dot begins a version', async (name) => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-keys-'))
    try {
      for (const file of ['acme.key', 'acme.eu.key']) writeFileSync(join(folder, file), contents.key())
      const system = createLocalKeySystem({ folder })
      const wrapped = await system.key('acme').wrap(Buffer.from('secret'))
      expect(await system.key('acme').unwrap(wrapped)).toEqual(Buffer.from('secret'))
      const refusal = { code: 'ENCRYPTION_KEY_UNAVAILABLE', message: expect.stringContaining('a key in a folder is called with letters') }
      const key = system.key(name)
      await expect(key.wrap(Buffer.from('secret'))).rejects.toMatchObject(refusal)
      await expect(key.unwrap(wrapped)).rejects.toMatchObject(refusal)
      await expect(key.describe()).rejects.toMatchObject(refusal)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

async function openFolder(ending: keyof typeof contents): Promise<KeySystemWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-keys-'))
  const path = (name: string): string => join(folder, `${name}.${ending}`)
  for (const name of ['one', 'two']) writeFileSync(path(name), contents[ending]())
  writeFileSync(join(folder, '..%2fsecret.key'), contents.key())
  return {
    system: createLocalKeySystem({ folder, passphrase: () => passphrase }),
    names: ['one', 'two'],
    unknown: 'three',
    revoke: async (name) => renameSync(path(name), `${path(name)}.away`),
    restore: async (name) => renameSync(`${path(name)}.away`, path(name)),
    async rotate(name) {
      renameSync(path(name), path(`${name}.old-${readdirSync(folder).length}`))
      writeFileSync(path(name), contents[ending]())
    },
    async retire(name) {
      for (const file of readdirSync(folder)) if (file.startsWith(`${name}.old-`)) rmSync(join(folder, file))
    },
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true, force: true }),
  }
}

let transit: TransitServer | undefined
const secretsOfTransit = (): readonly string[] => (transit === undefined ? [] : [transit.token, transit.role.secretId])
const viaToken = async (): Promise<KeySystemWorld> => openTransit('token')
const viaAppRole = async (): Promise<KeySystemWorld> => openTransit('app role')

describeKeySystem('a transit engine, with a token', {
  features: { outages: true, descriptions: true },
  secrets: secretsOfTransit,
  open: viaToken,
})
describeKeySystem('a transit engine, with role and secret', {
  features: { outages: true, descriptions: true },
  secrets: secretsOfTransit,
  open: viaAppRole,
})

async function openTransit(how: 'token' | 'app role'): Promise<KeySystemWorld> {
  const server = await createTransitServer()
  transit = server
  for (const name of ['one', 'two']) server.create(name)
  const request = createRequester({ authorities: [], timeoutMs: 2_000 })
  const common = { name: 'vault', url: server.url, namespace: 'team' }
  const logOn =
    how === 'token'
      ? createTokenLogOn(() => `${server.token}\n`)
      : createAppRoleLogOn({
          ...common,
          mount: 'approle',
          roleId: () => server.role.roleId,
          secretId: () => server.role.secretId,
          request,
          clock: createManualClock(),
        })
  const system = createTransitSystem({ ...common, mount: 'transit', request, logOn })
  return {
    system,
    names: ['one', 'two'],
    unknown: 'three',
    revoke: async (name) => server.refuse(name, true),
    restore: async (name) => server.refuse(name, false),
    rotate: async (name) => server.rotate(name),
    retire: async (name) => server.retire(name),
    breakDown: () => server[Symbol.asyncDispose](),
    async [Symbol.asyncDispose]() {
      await system[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}
