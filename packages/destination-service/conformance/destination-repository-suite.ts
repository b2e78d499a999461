import { expect } from 'vitest'
import type { DestinationRepository, DestinationWrite, Level } from '../src/index.ts'

/** A repository to be held to its contract; `reopen` hands out another one on the same data, as after a restart. */
export interface RepositorySubject {
  readonly repository: DestinationRepository
  reopen(): Promise<DestinationRepository>
}

type RepositoryCase = (subject: RepositorySubject) => Promise<void>

const subaccount: Level = { subaccountId: 'sub', instanceId: null }
const instance: Level = { subaccountId: 'sub', instanceId: 'i1' }
const otherInstance: Level = { subaccountId: 'sub', instanceId: 'i2' }
const subscription: Level = { subaccountId: 'subscriber', instanceId: 'i1' }
const levels = [subaccount, instance, otherInstance, subscription]

const write = (Name: string, extra: Readonly<Record<string, string>> = {}, sharedWithSubscriber = false): DestinationWrite => ({
  properties: { Name, Type: 'HTTP', ...extra },
  sharedWithSubscriber,
})
const roomy = { nowMs: 1_000, maxPerSubaccount: 1_000 }

/** The contract of {@link DestinationRepository}, for any implementation. */
export const repositoryCases: Readonly<Record<string, RepositoryCase>> = {
  async 'returns what was stored, with times and every character'({ repository }) {
    const properties = { URL: 'http://x', 'ключ 🗝': 'it\'s \u0000 \n \\ "quoted" ünïcode', constructor: 'own', Empty: '' }
    expect(await repository.create(subaccount, [write('a', properties, true)], roomy)).toEqual(['created'])
    expect(await repository.find(subaccount, 'a')).toEqual({
      properties: { Name: 'a', Type: 'HTTP', ...properties },
      sharedWithSubscriber: true,
      createdAtMs: 1_000,
      modifiedAtMs: 1_000,
    })
    expect(await repository.find(subaccount, 'b')).toBeUndefined()
  },

  async 'keeps times far beyond 32 bits'({ repository }) {
    const nowMs = Date.UTC(2099, 11, 31)
    await repository.create(subaccount, [write('a')], { ...roomy, nowMs })
    expect(await repository.index(subaccount)).toEqual([{ name: 'a', modifiedAtMs: nowMs }])
  },

  async 'keeps levels apart, all of them'({ repository }) {
    for (const [index, level] of levels.entries()) {
      expect(await repository.create(level, [write('same', { Level: String(index) })], roomy)).toEqual(['created'])
    }
    for (const [index, level] of levels.entries()) {
      expect((await repository.find(level, 'same'))?.properties['Level']).toBe(String(index))
      expect(await repository.read(level, ['same'])).toHaveLength(1)
      expect(await repository.index(level)).toHaveLength(1)
    }
    await repository.replace(instance, [write('same', { Level: 'changed' })], { nowMs: 2_000 })
    expect(await repository.remove(subaccount, ['same'])).toEqual(['same'])
    const left = await Promise.all(levels.map((level) => repository.find(level, 'same')))
    expect(left.map((stored) => stored?.properties['Level'])).toEqual([undefined, 'changed', '2', '3'])
  },

  async 'compares names byte for byte'({ repository }) {
    await repository.create(
      subaccount,
      ['a', 'A', 'ä', 'a\u0308', 'a%', 'a_', "a'b"].map((name) => write(name)),
      roomy,
    )
    expect(await repository.index(subaccount)).toHaveLength(7)
    expect((await repository.find(subaccount, 'A'))?.properties.Name).toBe('A')
    expect(await repository.find(subaccount, 'Ä')).toBeUndefined()
    expect(await repository.remove(subaccount, ['a%', "a'b"])).toEqual(['a%', "a'b"])
    expect(await repository.index(subaccount)).toHaveLength(5)
  },

  async 'creates only names that are free, also within one call, and says which'({ repository }) {
    await repository.create(subaccount, [write('a', { First: 'yes' })], roomy)
    expect(await repository.create(subaccount, [write('b'), write('a'), write('b', { Second: 'yes' }), write('c')], roomy)).toEqual([
      'created',
      'exists',
      'exists',
      'created',
    ])
    expect((await repository.find(subaccount, 'a'))?.properties).toHaveProperty('First')
    expect((await repository.find(subaccount, 'b'))?.properties).not.toHaveProperty('Second')
  },

  async 'holds the limit of a subaccount over all its levels, at the same time too'({ repository }) {
    const options = { nowMs: 1, maxPerSubaccount: 5 }
    await repository.create(instance, [write('x'), write('y')], options)
    const calls = ['a', 'b', 'c', 'd', 'e', 'f'].map((name, index) =>
      repository.create(index % 2 === 0 ? subaccount : otherInstance, [write(name)], options),
    )
    const outcomes = (await Promise.all(calls)).flat()
    expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(3)
    expect(outcomes.filter((outcome) => outcome === 'full')).toHaveLength(3)
    expect(await repository.create(instance, [write('z'), write('x')], options)).toEqual(['full', 'exists'])
    expect(await repository.create(subscription, [write('z')], options)).toEqual(['created'])
    await repository.remove(instance, ['x'])
    expect(await repository.create(instance, [write('z'), write('zz')], options)).toEqual(['created', 'full'])
  },

  async 'replaces all properties of what exists, keeps the time of creation, and creates nothing'({ repository }) {
    await repository.create(subaccount, [write('a', { Old: 'x' }, true)], roomy)
    expect(await repository.replace(subaccount, [write('a', { New: 'y' }), write('b')], { nowMs: 2_000 })).toEqual(['replaced', 'unknown'])
    expect(await repository.find(subaccount, 'a')).toEqual({
      properties: { Name: 'a', Type: 'HTTP', New: 'y' },
      sharedWithSubscriber: false,
      createdAtMs: 1_000,
      modifiedAtMs: 2_000,
    })
    expect(await repository.find(subaccount, 'b')).toBeUndefined()
  },

  async 'removes what exists and says what that was, in the order asked'({ repository }) {
    await repository.create(subaccount, [write('a'), write('b'), write('c')], roomy)
    expect(await repository.remove(subaccount, ['c', 'x', 'a'])).toEqual(['c', 'a'])
    expect(await repository.remove(subaccount, ['a'])).toEqual([])
    expect((await repository.index(subaccount)).map((entry) => entry.name)).toEqual(['b'])
  },

  async 'reads many by name and leaves out what is not there'({ repository }) {
    const names = Array.from({ length: 300 }, (_, index) => `d${index}`)
    await repository.create(
      subaccount,
      names.map((name) => write(name)),
      roomy,
    )
    const read = await repository.read(subaccount, ['d299', 'unknown', 'd0'])
    expect(read.map((stored) => stored.properties.Name).toSorted()).toEqual(['d0', 'd299'])
    const index = (await repository.index(subaccount)).map((entry) => entry.name)
    expect(index.toSorted()).toEqual(names.toSorted())
    expect((await repository.index(subaccount)).map((entry) => entry.name)).toEqual(index)
  },

  async 'does nothing, and says so, when asked for nothing'({ repository }) {
    expect(await repository.create(subaccount, [], roomy)).toEqual([])
    expect(await repository.replace(subaccount, [], { nowMs: 1 })).toEqual([])
    expect(await repository.remove(subaccount, [])).toEqual([])
    expect(await repository.read(subaccount, [])).toEqual([])
    expect(await repository.index(subaccount)).toEqual([])
    await repository.check()
  },

  async 'still has everything after a restart'({ repository, reopen }) {
    await repository.create(instance, [write('a', { Password: 'p4ss' })], roomy)
    await repository.replace(instance, [write('a', { Password: 'p4ss2' })], { nowMs: 2_000 })
    const again = await reopen()
    expect(await again.find(instance, 'a')).toMatchObject({ properties: { Password: 'p4ss2' }, modifiedAtMs: 2_000 })
  },
}
