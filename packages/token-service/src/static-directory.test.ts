import { createSecret } from '@sallyport/core'
import { describe, expect, it, vi } from 'vitest'
import { createStaticDirectory, type StaticDirectoryConfiguration } from './static-directory.ts'

const hasher = { hash: (password: string) => Promise.resolve(`hashed ${password}`), verify: () => Promise.resolve(false) }
const create = (configuration: Partial<StaticDirectoryConfiguration>) =>
  createStaticDirectory({ tenants: [{ id: 'demo' }], clients: [], users: [], hasher, ...configuration })

describe('static directory', () => {
  it('fills in what a short configuration leaves out', async () => {
    const { tenants, clients, users } = create({
      clients: [{ id: 'sb-app!t1', tenant: 'demo', scopes: [{ name: '$XSAPPNAME.Display', groups: 'everyone' }] }],
      users: [{ tenant: 'demo', name: 'jane@acme.test', attributes: { country: 'DE' } }],
    })
    expect(await tenants.findBySubdomain('DEMO')).toEqual({ id: 'demo', subdomain: 'demo' })
    expect(await clients.findById('sb-app!t1')).toMatchObject({
      xsappname: 'app!t1',
      authorities: ['uaa.resource'],
      scopes: [{ name: 'app!t1.Display', groups: 'everyone' }],
      redirectUris: [],
    })
    const jane = await users.findByName('demo', 'JANE@acme.test')
    expect(jane).toMatchObject({
      email: 'jane@acme.test',
      givenName: 'jane',
      familyName: 'acme.test',
      origin: 'sap.default',
      groups: [],
      attributes: { country: ['DE'] },
    })
    expect(jane).not.toHaveProperty('passwordHash')
    expect(await users.findById('demo', jane?.id ?? '')).toEqual(jane)
    expect(await users.findById('other', jane?.id ?? '')).toBeUndefined()
    const again = create({ users: [{ tenant: 'demo', name: 'Jane@acme.test' }] })
    expect((await again.users.findByName('demo', 'jane@acme.test'))?.id).toBe(jane?.id)
  })

  it('hashes a password once, when somebody first logs on', async () => {
    const hash = vi.fn<typeof hasher.hash>(hasher.hash)
    const { users } = create({
      hasher: { ...hasher, hash },
      users: [{ tenant: 'demo', name: 'jane', password: createSecret('pw') }],
    } as Partial<StaticDirectoryConfiguration>)
    expect(hash).not.toHaveBeenCalled()
    await users.findByName('demo', 'jane')
    expect(await users.findByName('demo', 'jane')).toMatchObject({ passwordHash: 'hashed pw' })
    expect(hash).toHaveBeenCalledTimes(1)
  })

  it('hashes again after a failure, so that nobody is locked out for good', async () => {
    const hash = vi.fn<typeof hasher.hash>(hasher.hash).mockRejectedValueOnce(new Error('no memory'))
    const { users } = create({
      hasher: { ...hasher, hash },
      users: [{ tenant: 'demo', name: 'jane', password: createSecret('pw') }],
    } as Partial<StaticDirectoryConfiguration>)
    await expect(users.findByName('demo', 'jane')).rejects.toThrow('no memory')
    expect(await users.findByName('demo', 'jane')).toMatchObject({ passwordHash: 'hashed pw' })
  })

  it.each<[Partial<StaticDirectoryConfiguration>, RegExp]>([
    [{ tenants: [{ id: 'a' }, { id: 'a' }] }, /tenants\[1\]\.id is there twice/],
    [
      {
        tenants: [
          { id: 'a', subdomain: 'x' },
          { id: 'b', subdomain: 'X' },
        ],
      },
      /tenants\[1\]\.subdomain is there twice/,
    ],
    [{ tenants: [{ id: 'a b' }] }, /tenants\[0\]\.subdomain is not one label/],
    [{ clients: [{ id: 'c', tenant: 'x' }] }, /clients\[0\]\.tenant names no tenant/],
    [{ clients: [{ id: 'c:d', tenant: 'demo' }] }, /clients\[0\]\.id holds a colon/],
    [{ clients: [{ id: 'c', tenant: 'demo', subscribedTenants: ['x'] }] }, /subscribedTenants\[0\] names no tenant/],
    [{ clients: [{ id: 'c', tenant: 'demo', secrets: [createSecret('short-secret')] }] }, /secrets\[0\] is shorter than 16/],
    [{ clients: [{ id: 'c', tenant: 'demo', secretHashes: ['plain'] }] }, /secretHashes\[0\] is not/],
    [{ clients: [{ id: 'c', tenant: 'demo', certificates: [{ thumbprintSha256: 'ab' }] }] }, /thumbprintSha256 is not 64/],
    [{ clients: [{ id: 'c', tenant: 'demo', certificates: [{ subject: 'CN=a', issuer: ' ' }] }] }, /needs subject and issuer/],
    [{ clients: [{ id: 'c', tenant: 'demo', grantTypes: ['implicit' as never] }] }, /grantTypes\[0\] is not one of/],
    [{ clients: [{ id: 'c', tenant: 'demo', authorities: ['a b'] }] }, /authorities hold white space/],
    [{ clients: [{ id: 'c', tenant: 'demo', redirectUris: ['https://**'] }] }, /redirectUris\[0\] would send codes anywhere/],
    [{ clients: [{ id: 'c', tenant: 'demo', accessTokenSeconds: 300 }] }, /accessTokenSeconds is not between/],
    [{ users: [{ tenant: 'x', name: 'u' }] }, /users\[0\]\.tenant names no tenant/],
    [{ users: [{ tenant: 'demo', name: '' }] }, /users\[0\]\.name is empty/],
    [{ users: [{ tenant: 'demo', name: 'u\n' }] }, /users\[0\]\.name/],
    [
      {
        users: [
          { tenant: 'demo', name: 'u' },
          { tenant: 'demo', name: 'U' },
        ],
      },
      /users\[1\]\.name is there twice/,
    ],
    [{ users: [{ tenant: 'demo', name: 'u', password: createSecret('') }] }, /password is empty/],
    [{ users: [{ tenant: 'demo', name: 'u', passwordHash: 'x' }] }, /passwordHash is not a hash/],
    [{ users: [{ tenant: 'demo', name: 'u', groups: Array.from({ length: 101 }, (_, at) => `g${at}`) }] }, /groups are more than 100/],
  ])('names what is wrong: %j', (configuration, problem) => {
    expect(() => create(configuration)).toThrow(problem)
  })

  it('names all problems at once, and no secret', () => {
    const secrets = [createSecret('too-short')]
    expect(() => create({ clients: [{ id: 'c', tenant: 'x', secrets }], users: [{ tenant: 'y', name: 'u' }] })).toThrow(
      expect.objectContaining({
        code: 'CONFIGURATION_INVALID',
        message: expect.stringMatching(/^(?!.*too-short).*clients\[0\]\.tenant.*secrets\[0\].*users\[0\]\.tenant/),
      }),
    )
  })
})
