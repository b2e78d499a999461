import { randomBytes } from 'node:crypto'
import { describeKeySystem, type KeySystemWorld } from '@sallyport/conformance'
import { systemClock } from '@sallyport/core'
import { skipWithoutVault, startVault, type Vault } from '@sallyport/real-backends'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTransitSystem } from '../src/kms/transit-system.ts'
import { createAppRoleLogOn, createTokenLogOn, type VaultLogOn } from '../src/kms/vault-log-on.ts'
import { createRequester, type Requester } from '../src/stack/request.ts'

const skipped = skipWithoutVault()
let vault: Vault
let mounts = 0
const secrets: string[] = []

beforeAll(async () => {
  if (skipped) return
  vault = await startVault()
  secrets.push(vault.rootToken)
  await vault.ask('POST', 'sys/auth/approle', { type: 'approle' })
}, 60_000)
afterAll(() => vault?.stop())

/** An engine of its own for each case, with a token that may do no more than the README says. */
async function openWorld(how: 'token' | 'app role', engine: string): Promise<KeySystemWorld> {
  mounts += 1
  const mount = `transit-${mounts}`
  await vault.ask('POST', `sys/mounts/${mount}`, { type: 'transit' })
  const admit = (...names: readonly string[]): Promise<unknown> =>
    vault.ask('PUT', `sys/policies/acl/${mount}`, {
      policy: names
        .flatMap((name) => [
          `path "${mount}/encrypt/${name}" { capabilities = ["update"] }`,
          `path "${mount}/decrypt/${name}" { capabilities = ["update"] }`,
          `path "${mount}/keys/${name}" { capabilities = ["read"] }`,
        ])
        .join('\n'),
    })
  for (const name of ['one', 'two']) await vault.ask('POST', `${mount}/keys/${name}`, { type: engine })
  await admit('one', 'two', 'three')
  const request = createRequester({ authorities: [], timeoutMs: 5_000 })
  const logOn = await logOnWith(how, mount, request)
  const system = createTransitSystem({ name: 'vault', url: vault.url, mount, namespace: undefined, request, logOn })
  return {
    system,
    names: ['one', 'two'],
    unknown: 'three',
    revoke: async (name) => void (await admit(name === 'one' ? 'two' : 'one')),
    restore: async () => void (await admit('one', 'two', 'three')),
    rotate: async (name) => void (await vault.ask('POST', `${mount}/keys/${name}/rotate`)),
    async retire(name) {
      const { data } = (await vault.ask('GET', `${mount}/keys/${name}`)) as { readonly data: { readonly latest_version: number } }
      await vault.ask('POST', `${mount}/keys/${name}/config`, { min_decryption_version: data.latest_version })
    },
    [Symbol.asyncDispose]: () => system[Symbol.asyncDispose](),
  }
}

async function logOnWith(how: 'token' | 'app role', policy: string, request: Requester): Promise<VaultLogOn> {
  if (how === 'token') {
    const { auth } = (await vault.ask('POST', 'auth/token/create', { policies: [policy] })) as {
      readonly auth: { readonly client_token: string }
    }
    secrets.push(auth.client_token)
    return createTokenLogOn(() => auth.client_token)
  }
  await vault.ask('POST', `auth/approle/role/${policy}`, { token_policies: [policy] })
  const { data: role } = (await vault.ask('GET', `auth/approle/role/${policy}/role-id`)) as { readonly data: { readonly role_id: string } }
  const { data: secret } = (await vault.ask('POST', `auth/approle/role/${policy}/secret-id`)) as {
    readonly data: { readonly secret_id: string }
  }
  secrets.push(secret.secret_id)
  return createAppRoleLogOn({
    name: 'vault',
    url: vault.url,
    mount: 'approle',
    namespace: undefined,
    roleId: () => role.role_id,
    secretId: () => secret.secret_id,
    request,
    clock: systemClock,
  })
}

describe.skipIf(skipped).each(['aes256-gcm96', 'chacha20-poly1305', 'rsa-2048'])('the transit engine with keys of the type %s', (type) => {
  describeKeySystem('with a token', {
    features: { outages: false, descriptions: true },
    ...(type.startsWith('rsa')
      ? {
          knownGaps: {
            'unwraps nothing that another key has wrapped, and nothing that was changed':
              'to what an RSA key cannot decrypt the server answers 500, as it does when something is wrong with itself',
          },
        }
      : {}),
    secrets: () => secrets,
    open: () => openWorld('token', type),
  })
})

describe.skipIf(skipped)('the transit engine, for who logs on', () => {
  describeKeySystem('with role and secret', {
    features: { outages: false, descriptions: true },
    secrets: () => secrets,
    open: () => openWorld('app role', 'aes256-gcm96'),
  })
})

describe.skipIf(skipped)('a server that is sealed', () => {
  it('does not answer, which is another thing than refusing', async () => {
    await using world = await openWorld('token', 'aes256-gcm96')
    const key = world.system.key('one')
    const wrapped = await key.wrap(randomBytes(32), AbortSignal.timeout(5_000))
    // Nothing comes after this in the file: sealed is sealed.
    await vault.ask('POST', 'sys/seal')
    await expect(key.unwrap(wrapped, AbortSignal.timeout(5_000))).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' })
  })
})
