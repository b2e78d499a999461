import { createTestIssuer } from '@sallyport/test-fixtures'
import { expect, it } from 'vitest'
import { createTrustList, type SynchronisedIssuer, type TrustList } from './index.ts'

const [a, b] = [createTestIssuer({ issuer: 'https://a.example' }), createTestIssuer({ issuer: 'https://b.example' })] as const
const reported = (issuer: typeof a, changes: Partial<SynchronisedIssuer> = {}): SynchronisedIssuer => ({
  issuer: issuer.issuer,
  name: 'Name',
  type: 'OAUTH2',
  keys: issuer.keys,
  ...changes,
})
const findKey = (trust: TrustList, issuer: string): Promise<unknown> => trust.keys.find(issuer, 'key-1', 'RS256')

it('is empty at first and gives no key', async () => {
  const trust = createTrustList()
  expect(trust.entries).toEqual([])
  expect(await findKey(trust, a.issuer)).toBeUndefined()
})

it('takes over name, type, description and public keys of an issuer and trusts it', async () => {
  const trust = createTrustList()
  const changes = trust.synchronise([reported(a, { description: 'Main', keys: [{ ...a.keys[0], d: 'secret', p: 'secret' }] })])
  expect(changes).toEqual({ added: [a.issuer], removed: [], changed: [] })
  expect(trust.entries).toEqual([
    { id: 1, issuer: a.issuer, name: 'Name', description: 'Main', type: 'OAUTH2', trusted: true, keys: a.keys },
  ])
  expect(JSON.stringify(trust.entries)).not.toContain('secret')
  expect(await findKey(trust, a.issuer)).toMatchObject({ kty: 'RSA' })
})

it('keeps flags and ids of known issuers, drops those that are gone and never gives an id again', async () => {
  const trust = createTrustList()
  trust.synchronise([reported(a), reported(b)])
  trust.setTrusted(1, false)
  expect(trust.synchronise([reported(a, { name: 'New' })])).toEqual({ added: [], removed: [b.issuer], changed: [a.issuer] })
  expect(trust.entries).toMatchObject([{ id: 1, name: 'New', trusted: false }])
  expect(await findKey(trust, a.issuer)).toBeUndefined()
  trust.synchronise([reported(b), reported(a, { name: 'New' })])
  expect(trust.entries.map(({ id, trusted }) => [id, trusted])).toEqual([
    [3, true],
    [1, false],
  ])
})

it('changes the revision of its keys with a flag or a key, not with a name', () => {
  const trust = createTrustList()
  trust.synchronise([reported(a)])
  const revisions = [trust.keys.revision]
  trust.synchronise([reported(a, { name: 'Other' })])
  revisions.push(trust.keys.revision)
  trust.setTrusted(1, false)
  revisions.push(trust.keys.revision)
  trust.setTrusted(1, true)
  revisions.push(trust.keys.revision)
  trust.synchronise([reported(a, { keys: b.keys })])
  revisions.push(trust.keys.revision)
  expect(revisions[1]).toBe(revisions[0])
  expect(new Set(revisions).size).toBe(4)
})

it('continues with entries that somebody has kept', () => {
  const before = createTrustList()
  before.synchronise([reported(a), reported(b)])
  before.setTrusted(2, false)
  const after = createTrustList({ entries: JSON.parse(JSON.stringify(before.entries)) as typeof before.entries })
  expect(after.entries).toEqual(before.entries)
  after.synchronise([reported(a), reported(b), reported(createTestIssuer({ issuer: 'https://c.example' }))])
  expect(after.entries.map(({ id, trusted }) => [id, trusted])).toEqual([
    [1, true],
    [2, false],
    [3, true],
  ])
})

it('asks its owner about new issuers only', () => {
  const trust = createTrustList({ isTrusted: ({ issuer }) => issuer !== b.issuer })
  trust.synchronise([reported(a), reported(b)])
  expect(trust.entries.map(({ trusted }) => trusted)).toEqual([true, false])
  trust.setTrusted(2, true)
  trust.synchronise([reported(a), reported(b)])
  expect(trust.entries.map(({ trusted }) => trusted)).toEqual([true, true])
})

it.each<[string, unknown]>([
  ['no list', { issuer: 'x' }],
  ['an entry that is no object', [null]],
  ['no issuer', [{ ...reported(a), issuer: '' }]],
  ['an issuer twice', [reported(a), reported(a)]],
  ['an issuer that is too long', [{ ...reported(a), issuer: 'x'.repeat(3000) }]],
  ['no name', [{ ...reported(a), name: undefined }]],
  ['a huge description', [{ ...reported(a), description: 'x'.repeat(2000) }]],
  ['another type', [{ ...reported(a), type: 'SAML' }]],
  ['no keys', [{ ...reported(a), keys: undefined }]],
  ['keys that are none', [{ ...reported(a), keys: ['x'] }]],
  ['too many keys', [{ ...reported(a), keys: Array.from({ length: 65 }, () => ({})) }]],
  ['too many issuers', Array.from({ length: 101 }, (_, index) => reported(a, { issuer: `https://${index}.example` }))],
])('refuses a report with %s and stays as it was', (_, report) => {
  const trust = createTrustList()
  trust.synchronise([reported(b)])
  const { entries } = trust
  expect(() => trust.synchronise(report as SynchronisedIssuer[])).toThrow(expect.objectContaining({ code: 'MESSAGE_INVALID' }))
  expect(trust.entries).toBe(entries)
})

it('refuses the flag of an entry that is not there', () => {
  expect(() => createTrustList().setTrusted(1, true)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }))
})
