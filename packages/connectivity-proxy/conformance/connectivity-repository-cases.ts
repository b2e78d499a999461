import { expect } from 'vitest'
import type { ConnectivityRepository, IssuedCertificate } from '../src/connectivity-service/repository.ts'

const certificate = (fingerprint: string, more: Partial<IssuedCertificate> = {}): IssuedCertificate => ({
  fingerprint,
  subaccount: 'demo',
  connectorId: 'c-1',
  locationId: '',
  description: 'ünïcode',
  registeredBy: 'admin@acme.test',
  issuedAtMs: Date.UTC(2026, 0, 1),
  expiresAtMs: Date.UTC(2099, 0, 1),
  revokedAtMs: undefined,
  ...more,
})
const code = (hash: string, expiresAtMs = 1_000, subaccount = 'demo'): Parameters<ConnectivityRepository['addPairingCode']>[0] => ({
  hash,
  subaccount,
  createdBy: 'admin@acme.test',
  expiresAtMs,
})
const pair = async (repository: ConnectivityRepository, issued: IssuedCertificate): Promise<void> => {
  await repository.addPairingCode(code(`for ${issued.fingerprint}`, 1_000, issued.subaccount), 0, 100)
  expect(await repository.redeemPairingCode(`for ${issued.fingerprint}`, 0, issued)).toBe(true)
}
const trues = (outcomes: readonly boolean[]): number => outcomes.filter(Boolean).length
const several = Array.from({ length: 6 }, (_, at) => `f-${at}`)

/** The contract of {@link ConnectivityRepository}, for any implementation. */
export const connectivityRepositoryCases: Readonly<Record<string, (repository: ConnectivityRepository) => Promise<void>>> = {
  async 'keeps authorities, oldest first, one per generation whoever comes at the same moment'(repository) {
    const authority = (generation: number) => ({
      generation,
      certificate: `c${generation}`,
      sealedKey: 'k',
      createdAtMs: Date.UTC(2099, 0, 1),
    })
    expect(await repository.addAuthority(authority(2))).toBe(true)
    expect(trues(await Promise.all(several.map(() => repository.addAuthority(authority(1)))))).toBe(1)
    expect(await repository.authorities()).toEqual([authority(1), authority(2)])
  },

  async 'finds a code until it expires, and gives room when it has'(repository) {
    expect(await repository.addPairingCode(code('a'), 0, 1)).toBe(true)
    expect(await repository.addPairingCode(code('b'), 999, 1)).toBe(false)
    expect(await repository.addPairingCode(code('other', 1_000, 'else'), 999, 1)).toBe(true)
    expect(await repository.findPairingCode('a', 999)).toEqual(code('a'))
    expect(await repository.findPairingCode('a', 1_000)).toBeUndefined()
    expect(await repository.addPairingCode(code('b', 2_000), 1_000, 1)).toBe(true)
  },

  async 'holds the limit of open codes, at the same time too'(repository) {
    expect(trues(await Promise.all(several.map((hash) => repository.addPairingCode(code(hash), 0, 3))))).toBe(3)
  },

  async 'uses a code up once, for one certificate'(repository) {
    await repository.addPairingCode(code('a'), 0, 10)
    const outcomes = await Promise.all(several.map((name) => repository.redeemPairingCode('a', 0, certificate(name))))
    expect(trues(outcomes)).toBe(1)
    const kept = await Promise.all(several.map((name) => repository.findCertificate(name)))
    expect(kept.map((found) => found !== undefined)).toEqual(outcomes)
    await repository.addPairingCode(code('late'), 0, 10)
    expect(await repository.redeemPairingCode('late', 1_000, certificate('late'))).toBe(false)
    expect(await repository.findCertificate('late')).toBeUndefined()
  },

  async 'keeps no certificate for a code that is used, when it is one that exists already'(repository) {
    await pair(repository, certificate('same'))
    await repository.addPairingCode(code('a'), 0, 10)
    await expect(repository.redeemPairingCode('a', 0, certificate('same', { connectorId: 'c-2' }))).rejects.toThrow(/unique/i)
    expect(await repository.findPairingCode('a', 0)).toBeDefined()
  },

  async 'returns certificates as they were issued, of a connector the one issued last'(repository) {
    const first = certificate('a', { locationId: 'plant' })
    const second = certificate('b', { issuedAtMs: first.issuedAtMs + 1 })
    await pair(repository, second)
    await pair(repository, first)
    expect(await repository.findCertificate('a')).toEqual(first)
    expect(await repository.findConnector('demo', 'c-1')).toEqual(second)
    expect(await repository.findConnector('else', 'c-1')).toBeUndefined()
    expect(await repository.findConnector('demo', 'c-2')).toBeUndefined()
  },

  async 'revokes every certificate of one connector, once'(repository) {
    await pair(repository, certificate('a'))
    await pair(repository, certificate('b'))
    await pair(repository, certificate('c', { connectorId: 'c-2' }))
    await pair(repository, certificate('d', { subaccount: 'else' }))
    expect(await repository.revokeConnector('demo', 'c-1', 77)).toBe(2)
    expect(await repository.revokeConnector('demo', 'c-1', 78)).toBe(0)
    const revoked = await Promise.all(['a', 'b', 'c', 'd'].map(async (name) => (await repository.findCertificate(name))?.revokedAtMs))
    expect(revoked).toEqual([77, 77, undefined, undefined])
  },

  async 'renews a certificate that stands, and none that was revoked'(repository) {
    await pair(repository, certificate('a'))
    expect(await repository.addRenewedCertificate(certificate('b'), 'unknown')).toBe(false)
    expect(await repository.addRenewedCertificate(certificate('b'), 'a')).toBe(true)
    await repository.revokeConnector('demo', 'c-1', 77)
    expect(await repository.addRenewedCertificate(certificate('c'), 'b')).toBe(false)
    expect(await repository.findCertificate('c')).toBeUndefined()
  },

  async 'leaves nothing that stands when renewals and a revocation come at the same moment'(repository) {
    await pair(repository, certificate('f'))
    const renewals = several.map((name, at) => repository.addRenewedCertificate(certificate(name), at === 0 ? 'f' : `f-${at - 1}`))
    await Promise.all([...renewals, repository.revokeConnector('demo', 'c-1', 77)])
    const kept = await Promise.all(['f', ...several].map((name) => repository.findCertificate(name)))
    expect(kept.filter((found) => found !== undefined && found.revokedAtMs === undefined)).toEqual([])
  },
}
