import { silentLogger } from '@sallyport/core'
import { createManualClock } from '@sallyport/test-fixtures'
import { expect, it } from 'vitest'
import { parseConfiguration } from '../configuration/read-configuration.ts'
import type { CloudSettings } from './cloud-settings.ts'
import { createSubaccountTrust, type SubaccountTrust } from './subaccount-trust.ts'

const own = 'https://tokens.example/token_keys'
const corporate = 'https://login.acme.example/keys'
const text = `subaccounts: [{ id: a }, { id: b }]
identityServices:
  - { issuer: "https://quiet.example", keysUrl: "https://quiet.example/keys" }
identityProviders:
  - { issuer: "https://login.acme.example", keysUrl: "${corporate}", name: Acme, subaccounts: [a], propagatesUsers: true, origin: acme, audiences: [x] }
`

/** Published keys by address; an address without keys does not answer. */
function open(published: Map<string, readonly Readonly<Record<string, unknown>>[]>) {
  const result = parseConfiguration(text, '/x')
  if ('problems' in result) throw new Error(JSON.stringify(result.problems))
  const clock = createManualClock()
  let changes = 0
  const tokenService = { issuerOf: (id: string) => `https://tokens.example/${id}`, keysUrl: new URL(own) }
  const trust: SubaccountTrust = createSubaccountTrust({
    configuration: result.configuration,
    settings: { tokenService } as unknown as CloudSettings,
    fetchKeys: (url) => {
      const keys = published.get(url.href)
      return keys === undefined ? Promise.reject(new Error('down')) : Promise.resolve(keys)
    },
    clock,
    log: silentLogger,
    onChange: () => void changes++,
  })
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  const look = async (): Promise<number> => {
    clock.advance(300_000)
    await settle()
    return changes
  }
  return { trust, look }
}

it('names the token service, and of the others those whose users are propagated in the subaccount', async () => {
  const { trust } = open(
    new Map([
      [own, [{ kid: '1', value: 'pem' }]],
      [corporate, [{ kid: 'c1' }]],
    ]),
  )
  expect(await trust.issuers('a')).toEqual([
    { issuer: 'https://tokens.example/a', name: 'Sallyport token service', type: 'OAUTH2', keys: [{ kid: '1' }] },
    { issuer: 'https://login.acme.example', name: 'Acme', type: 'OIDC', keys: [{ kid: 'c1' }] },
  ])
  expect((await trust.issuers('b')).map(({ issuer }) => issuer)).toEqual(['https://tokens.example/b'])
})

it('keeps an issuer that does not answer, with the keys it had; our own have to answer', async () => {
  const published = new Map<string, readonly Readonly<Record<string, unknown>>[]>([[own, [{ kid: '1' }]]])
  const { trust } = open(published)
  const keysOfAcme = async () => (await trust.issuers('a'))[1]?.keys
  expect(await keysOfAcme()).toEqual([])
  published.set(corporate, [{ kid: 'c1' }])
  expect(await keysOfAcme()).toEqual([{ kid: 'c1' }])
  published.delete(corporate)
  expect(await keysOfAcme()).toEqual([{ kid: 'c1' }])
  published.delete(own)
  await expect(trust.issuers('a')).rejects.toThrow('down')
})

it('tells when keys have changed, whoever is down meanwhile', async () => {
  const published = new Map<string, readonly Readonly<Record<string, unknown>>[]>([
    [own, [{ kid: '1' }]],
    [corporate, [{ kid: 'c1' }]],
  ])
  const { look } = open(published)
  expect(await look()).toBe(0)
  expect(await look()).toBe(0)
  published.set(corporate, [{ kid: 'c2' }])
  expect(await look()).toBe(1)
  published.delete(own)
  published.set(corporate, [{ kid: 'c3' }])
  expect(await look()).toBe(2)
  published.delete(corporate)
  published.set(own, [{ kid: '1' }])
  expect(await look()).toBe(2)
})
