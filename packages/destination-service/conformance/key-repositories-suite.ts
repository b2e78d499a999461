import { expect } from 'vitest'
import type { AuthorityKeys, ExpiryNotice, KeyRepositories, TrustKeyPair } from '../src/index.ts'

/** Repositories to be held to their contracts; `reopen` hands out others on the same data, as after a restart or in another process. */
export interface KeyRepositoriesSubject {
  readonly repositories: KeyRepositories
  reopen(): Promise<KeyRepositories>
}

const pair = (name: string): TrustKeyPair => ({ certificate: `certificate ${name}`, privateKey: `key ${name}` })
const keys = (name: string): AuthorityKeys => ({ root: pair(`root ${name}`), issuing: pair(`issuing ${name}`) })
const at = { nowMs: Date.UTC(2099, 11, 31) }

/** The contracts of {@link KeyRepositories}, for any implementation. */
export const keyRepositoriesCases: Readonly<Record<string, (subject: KeyRepositoriesSubject) => Promise<void>>> = {
  async 'trust: keeps the key pairs of each subaccount through a restart'({ repositories: { trust }, reopen }) {
    expect(await trust.find('s1')).toBeUndefined()
    expect(await trust.put('s1', 'active', pair('a'), at)).toBe(true)
    expect(await trust.put('s1', 'passive', pair('p'), at)).toBe(true)
    expect(await trust.put('s2', 'active', pair('other'), at)).toBe(true)
    const reopened = (await reopen()).trust
    expect(await reopened.find('s1')).toEqual({ active: pair('a'), passive: pair('p') })
    expect(await reopened.find('s2')).toEqual({ active: pair('other') })
  },

  async 'trust: has a passive pair beside an active one only, replaces each, and removes the passive one'({ repositories: { trust } }) {
    expect(await trust.put('s', 'passive', pair('p'), at)).toBe(false)
    expect(await trust.removePassive('s')).toBe(false)
    await trust.put('s', 'active', pair('a'), at)
    await trust.put('s', 'passive', pair('p'), at)
    await trust.put('s', 'active', pair('a2'), at)
    await trust.put('s', 'passive', pair('p2'), at)
    expect(await trust.find('s')).toEqual({ active: pair('a2'), passive: pair('p2') })
    expect(await trust.removePassive('s')).toBe(true)
    expect(await trust.find('s')).toEqual({ active: pair('a2') })
  },

  async 'trust: swaps the roles, or changes nothing'({ repositories: { trust }, reopen }) {
    await trust.put('s', 'active', pair('a'), at)
    expect(await trust.rotate('s')).toBeUndefined()
    await trust.put('s', 'passive', pair('p'), at)
    expect(await trust.rotate('s')).toEqual({ active: pair('p'), passive: pair('a') })
    expect(await (await reopen()).trust.find('s')).toEqual({ active: pair('p'), passive: pair('a') })
    // Two administrators at the same moment: twice around is where it began.
    await Promise.all([trust.rotate('s'), trust.rotate('s')])
    expect(await trust.find('s')).toEqual({ active: pair('p'), passive: pair('a') })
  },

  async 'authorities: whoever is first makes a generation, and everybody uses it'({ repositories: { authorities }, reopen }) {
    expect(await authorities.latest('eu')).toBeUndefined()
    const other = (await reopen()).authorities
    const first = await Promise.all([
      authorities.add('eu', { generation: 1, keys: keys('a') }, at),
      other.add('eu', { generation: 1, keys: keys('b') }, at),
    ])
    expect(first[0]).toEqual(first[1])
    expect(await authorities.latest('eu')).toEqual(first[0])
    expect(await authorities.add('eu', { generation: 2, keys: keys('c') }, at)).toEqual({ generation: 2, keys: keys('c') })
    expect(await other.latest('eu')).toEqual({ generation: 2, keys: keys('c') })
    expect(await authorities.latest('us')).toBeUndefined()
  },

  async 'notices: are claimed once, by one of several, until given back or ended'({ repositories: { notices }, reopen }) {
    const notice: ExpiryNotice = { level: { subaccountId: 's', instanceId: null }, name: 'a.pem', expiresAtMs: at.nowMs, days: 14 }
    const others: readonly ExpiryNotice[] = [
      { ...notice, days: 7 },
      { ...notice, name: 'b.pem' },
      { ...notice, expiresAtMs: at.nowMs + 1 },
      { ...notice, level: { subaccountId: 's', instanceId: 'i' } },
      { ...notice, level: { subaccountId: 't', instanceId: null } },
    ]
    const lease = { nowMs: 0, leaseMs: 60_000 }
    const second = (await reopen()).notices
    const claimed = await Promise.all([notices.claim(notice, lease), second.claim(notice, lease)])
    expect(claimed.filter(Boolean)).toHaveLength(1)
    for (const other of others) expect(await notices.claim(other, lease)).toBe(true)
    await notices.giveBack(notice)
    expect(await second.claim(notice, lease)).toBe(true)
    expect(await notices.claim(others[0] ?? notice, lease)).toBe(false)
    await notices.forgetEnded(at.nowMs)
    expect(await notices.claim(notice, lease)).toBe(false)
    await notices.forgetEnded(at.nowMs + 1)
    expect(await notices.claim(notice, lease)).toBe(true)
    expect(await notices.claim({ ...notice, expiresAtMs: at.nowMs + 1 }, lease)).toBe(false)
  },
  async 'notices: whoever dies after the claim leaves it to others, but not before the lease has ended, and never after it was told'({
    repositories: { notices },
    reopen,
  }) {
    const notice: ExpiryNotice = { level: { subaccountId: 's', instanceId: null }, name: 'a.pem', expiresAtMs: at.nowMs, days: 14 }
    const other = (await reopen()).notices
    expect(await notices.claim(notice, { nowMs: 1_000, leaseMs: 500 })).toBe(true)
    expect(await other.claim(notice, { nowMs: 1_499, leaseMs: 500 })).toBe(false)
    const claimed = await Promise.all([notices, other].map((one) => one.claim(notice, { nowMs: 1_500, leaseMs: 500 })))
    expect(claimed.filter(Boolean)).toHaveLength(1)
    await other.told(notice)
    expect(await notices.claim(notice, { nowMs: at.nowMs, leaseMs: 500 })).toBe(false)
  },
}
