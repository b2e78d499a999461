import type { Label } from '@sallyport/admin-api'
import { expect } from 'vitest'
import type { EntityKind, EntityRepository, EntityWrite, FoundEntity, Level } from '../src/index.ts'

/** A repository to be held to its contract; `reopen` hands out another one on the same data, as after a restart or in another process. */
const passOn = (_level: Level, _name: string, error: unknown): never => {
  throw error
}

export interface RepositorySubject {
  readonly repository: EntityRepository
  reopen(): Promise<EntityRepository>
}

type RepositoryCase = (subject: RepositorySubject) => Promise<void>

const kinds: readonly EntityKind[] = ['destination', 'fragment', 'certificate']
const subaccount: Level = { subaccountId: 'sub', instanceId: null }
const instance: Level = { subaccountId: 'sub', instanceId: 'i1' }
const otherInstance: Level = { subaccountId: 'sub', instanceId: 'i2' }
const subscription: Level = { subaccountId: 'subscriber', instanceId: 'i1' }
const levels = [subaccount, instance, otherInstance, subscription]

const write = (name: string, extra: Readonly<Record<string, string>> = {}, sharedWithSubscriber = false): EntityWrite => ({
  name,
  properties: { Name: name, Type: 'HTTP', ...extra },
  sharedWithSubscriber,
})
const roomy = { nowMs: 1_000, maxPerSubaccount: 1_000 }
const env: Label = { key: 'env', values: ['prod', 'eu'] }

/** The contract of {@link EntityRepository}, for any implementation. */
export const repositoryCases: Readonly<Record<string, RepositoryCase>> = {
  async 'returns what was stored, with times and every character'({ repository }) {
    const properties = { URL: 'http://x', 'ключ 🗝': 'it\'s \u0000 \n \\ "quoted" ünïcode', constructor: 'own', Empty: '' }
    const hidden = { password: 'p4ss ünïcode', 'ключ 🗝': '' }
    for (const kind of kinds) {
      expect(await repository.create(kind, subaccount, [{ ...write('a', properties, true), hidden }], roomy)).toEqual(['created'])
      const expected = {
        kind,
        name: 'a',
        properties: { Name: 'a', Type: 'HTTP', ...properties },
        hidden,
        sharedWithSubscriber: true,
        createdAtMs: 1_000,
        modifiedAtMs: 1_000,
        labels: [],
      }
      expect(await repository.find(kind, subaccount, 'a')).toEqual(expected)
      expect(await repository.read(kind, subaccount, ['a'])).toEqual([expected])
      expect(await repository.find(kind, subaccount, 'b')).toBeUndefined()
    }
  },

  async 'keeps times far beyond 32 bits'({ repository }) {
    const nowMs = Date.UTC(2099, 11, 31)
    await repository.create('destination', subaccount, [write('a')], { ...roomy, nowMs })
    expect(await repository.index('destination', subaccount)).toEqual([
      { name: 'a', modifiedAtMs: nowMs, sharedWithSubscriber: false, labels: [] },
    ])
  },

  async 'replaces only what is as old as it was when somebody looked, if asked to'({ repository }) {
    const [first, second] = [write('a', { URL: 'http://first' }), write('a', { URL: 'http://second' })]
    await repository.create('certificate', subaccount, [first], { ...roomy, nowMs: 1_000 })
    expect(await repository.replace('certificate', subaccount, [second], { nowMs: 3_000, unchangedSinceMs: 999 })).toEqual(['unknown'])
    expect(await repository.find('certificate', subaccount, 'a')).toMatchObject({ properties: first.properties, modifiedAtMs: 1_000 })
    expect(await repository.replace('certificate', subaccount, [second], { nowMs: 3_000, unchangedSinceMs: 1_000 })).toEqual(['replaced'])
    expect(await repository.find('certificate', subaccount, 'a')).toMatchObject({ properties: second.properties, modifiedAtMs: 3_000 })
  },

  async 'gives each change a time of its own, also within one millisecond and when the clock was set back'({ repository }) {
    const put = (value: string, nowMs: number, unchangedSinceMs?: number): Promise<readonly string[]> =>
      repository.replace('destination', subaccount, [write('a', { V: value })], {
        nowMs,
        ...(unchangedSinceMs === undefined ? {} : { unchangedSinceMs }),
      })
    await repository.create('destination', subaccount, [write('a')], { ...roomy, nowMs: 1_000 })
    const seen = [1_000]
    for (const nowMs of [1_000, 1_000, 500, 1_000, 2_000, 2_000]) {
      await put(String(nowMs), nowMs)
      seen.push((await repository.find('destination', subaccount, 'a'))?.modifiedAtMs ?? 0)
    }
    expect(seen).toEqual([1_000, 1_001, 1_002, 1_003, 1_004, 2_000, 2_001])
    // Whoever looked before the last change does not undo it.
    expect(await put('late', 2_000, 2_000)).toEqual(['unknown'])
    expect(await put('in time', 2_000, 2_001)).toEqual(['replaced'])
  },

  async 'keeps levels apart, all of them'({ repository }) {
    for (const [index, level] of levels.entries()) {
      expect(await repository.create('destination', level, [write('same', { Level: String(index) })], roomy)).toEqual(['created'])
    }
    for (const [index, level] of levels.entries()) {
      expect((await repository.find('destination', level, 'same'))?.properties['Level']).toBe(String(index))
      expect(await repository.read('destination', level, ['same'])).toHaveLength(1)
      expect(await repository.index('destination', level)).toHaveLength(1)
    }
    await repository.replace('destination', instance, [write('same', { Level: 'changed' })], { nowMs: 2_000 })
    await repository.setLabels('destination', otherInstance, 'same', () => [env])
    expect(await repository.remove('destination', subaccount, ['same'])).toEqual(['same'])
    const left = await Promise.all(levels.map((level) => repository.find('destination', level, 'same')))
    expect(left.map((stored) => stored?.properties['Level'])).toEqual([undefined, 'changed', '2', '3'])
    expect(left.map((stored) => stored?.labels)).toEqual([undefined, [], [env], []])
  },

  async 'keeps kinds apart, all of them'({ repository }) {
    for (const kind of kinds) expect(await repository.create(kind, instance, [write('same', { Kind: kind })], roomy)).toEqual(['created'])
    await repository.replace('fragment', instance, [write('same', { Kind: 'changed' })], { nowMs: 2_000 })
    await repository.setLabels('fragment', instance, 'same', () => [env])
    expect(await repository.remove('certificate', instance, ['same'])).toEqual(['same'])
    const left = await Promise.all(kinds.map((kind) => repository.find(kind, instance, 'same')))
    expect(left.map((stored) => stored?.properties['Kind'])).toEqual(['destination', 'changed', undefined])
    expect(left.map((stored) => stored?.labels)).toEqual([[], [env], undefined])
    expect(await repository.index('certificate', instance)).toEqual([])
  },

  async 'keeps the two zones of a subscription apart for the subscriber, with one name in one of them only'({ repository }) {
    const shared: Level = { ...subscription, sharedOnly: true }
    await repository.create('destination', subscription, [write('private'), write('given', { By: 'app' }, true)], roomy)
    expect((await repository.index('destination', shared)).map((entry) => entry.name)).toEqual(['given'])
    expect(await repository.find('destination', shared, 'private')).toBeUndefined()
    expect(await repository.findFirst('destination', [shared], 'private')).toBeUndefined()
    expect((await repository.read('destination', shared, ['private', 'given'])).map((stored) => stored.name)).toEqual(['given'])
    expect(await repository.create('destination', shared, [write('private'), write('own')], roomy)).toEqual(['exists', 'created'])
    expect((await repository.find('destination', subscription, 'own'))?.sharedWithSubscriber).toBe(true)
    const changes = [write('private', { By: 'subscriber' }), write('given', { By: 'subscriber' })]
    expect(await repository.replace('destination', shared, changes, { nowMs: 2_000 })).toEqual(['unknown', 'replaced'])
    expect(await repository.find('destination', subscription, 'given')).toMatchObject({
      properties: { By: 'subscriber' },
      sharedWithSubscriber: true,
    })
    expect(await repository.setLabels('destination', shared, 'private', () => [env])).toBe(false)
    expect(await repository.remove('destination', shared, ['private', 'given'])).toEqual(['given'])
    expect((await repository.index('destination', subscription)).map((entry) => entry.name)).toEqual(['own', 'private'])
  },

  async 'finds the name on the first of several levels that has it'({ repository }) {
    await repository.create('destination', subaccount, [write('a', { From: 'subaccount' }), write('b', { From: 'subaccount' })], roomy)
    await repository.create('destination', instance, [write('a', { From: 'instance' })], roomy)
    await repository.create('fragment', instance, [write('b')], roomy)
    const find = async (from: readonly Level[], name: string): Promise<unknown> => {
      const found = await repository.findFirst('destination', from, name)
      return found === undefined ? undefined : [found.level, found.entity.properties['From']]
    }
    expect(await find([instance, subaccount], 'a')).toEqual([instance, 'instance'])
    expect(await find([subaccount, instance], 'a')).toEqual([subaccount, 'subaccount'])
    expect(await find([instance, subaccount], 'b')).toEqual([subaccount, 'subaccount'])
    expect(await find([otherInstance, subscription], 'a')).toBeUndefined()
    expect(await find([], 'a')).toBeUndefined()
  },

  async 'compares names byte for byte'({ repository }) {
    await repository.create(
      'destination',
      subaccount,
      ['a', 'A', 'ä', 'a\u0308', 'a%', 'a_', "a'b"].map((name) => write(name)),
      roomy,
    )
    expect(await repository.index('destination', subaccount)).toHaveLength(7)
    expect((await repository.find('destination', subaccount, 'A'))?.properties['Name']).toBe('A')
    expect(await repository.find('destination', subaccount, 'Ä')).toBeUndefined()
    expect(await repository.remove('destination', subaccount, ['a%', "a'b"])).toEqual(['a%', "a'b"])
    expect(await repository.index('destination', subaccount)).toHaveLength(5)
  },

  async 'creates only names that are free, also within one call, and says which'({ repository }) {
    await repository.create('destination', subaccount, [write('a', { First: 'yes' })], roomy)
    const writes = [write('b'), write('a'), write('b', { Second: 'yes' }), write('c')]
    expect(await repository.create('destination', subaccount, writes, roomy)).toEqual(['created', 'exists', 'exists', 'created'])
    expect((await repository.find('destination', subaccount, 'a'))?.properties).toHaveProperty('First')
    expect((await repository.find('destination', subaccount, 'b'))?.properties).not.toHaveProperty('Second')
  },

  async 'holds the limit of a subaccount over all its levels, at the same time too'({ repository }) {
    const options = { nowMs: 1, maxPerSubaccount: 5 }
    await repository.create('destination', instance, [write('x'), write('y')], options)
    const calls = ['a', 'b', 'c', 'd', 'e', 'f'].map((name, index) =>
      repository.create('destination', index % 2 === 0 ? subaccount : otherInstance, [write(name)], options),
    )
    const outcomes = (await Promise.all(calls)).flat()
    expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(3)
    expect(outcomes.filter((outcome) => outcome === 'full')).toHaveLength(3)
    expect(await repository.create('destination', instance, [write('z'), write('x')], options)).toEqual(['full', 'exists'])
    expect(await repository.create('destination', subscription, [write('z')], options)).toEqual(['created'])
    await repository.remove('destination', instance, ['x'])
    expect(await repository.create('destination', instance, [write('z'), write('zz')], options)).toEqual(['created', 'full'])
  },

  async 'counts each kind by itself'({ repository }) {
    const options = { nowMs: 1, maxPerSubaccount: 1 }
    for (const kind of kinds) {
      expect(await repository.create(kind, instance, [write('a')], options)).toEqual(['created'])
      expect(await repository.create(kind, subaccount, [write('a')], options)).toEqual(['full'])
    }
  },

  async 'replaces all content of what exists, keeps labels and the time of creation, and creates nothing'({ repository }) {
    await repository.create('certificate', subaccount, [{ ...write('a', { Old: 'x' }, true), hidden: { old: 'x' } }], roomy)
    await repository.setLabels('certificate', subaccount, 'a', () => [env])
    const outcomes = await repository.replace('certificate', subaccount, [write('a', { New: 'y' }), write('b')], { nowMs: 2_000 })
    expect(outcomes).toEqual(['replaced', 'unknown'])
    expect(await repository.find('certificate', subaccount, 'a')).toEqual({
      kind: 'certificate',
      name: 'a',
      properties: { Name: 'a', Type: 'HTTP', New: 'y' },
      hidden: {},
      sharedWithSubscriber: false,
      createdAtMs: 1_000,
      modifiedAtMs: 2_000,
      labels: [env],
    })
    expect(await repository.find('certificate', subaccount, 'b')).toBeUndefined()
  },

  async 'sets labels from those there are, which changes nothing else'({ repository }) {
    await repository.create('fragment', subaccount, [write('a')], roomy)
    const before = await repository.find('fragment', subaccount, 'a')
    expect(await repository.setLabels('fragment', subaccount, 'a', (labels) => [...labels, env])).toBe(true)
    expect(await repository.setLabels('fragment', subaccount, 'a', (labels) => [...labels, { key: 'x', values: [] }])).toBe(true)
    const labels = [env, { key: 'x', values: [] }]
    expect(await repository.find('fragment', subaccount, 'a')).toEqual({ ...before, labels })
    expect(await repository.index('fragment', subaccount)).toEqual([
      { name: 'a', modifiedAtMs: 1_000, sharedWithSubscriber: false, labels },
    ])
    expect(await repository.setLabels('fragment', subaccount, 'b', () => [env])).toBe(false)
    expect(await repository.setLabels('fragment', instance, 'a', () => [env])).toBe(false)
  },

  async 'loses no label when many are added at the same time'({ repository, reopen }) {
    await repository.create('destination', subaccount, [write('a')], roomy)
    const other = await reopen()
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 === 0 ? repository : other).setLabels('destination', subaccount, 'a', (labels) => [
          ...labels,
          { key: `k${index}`, values: ['v'] },
        ]),
      ),
    )
    expect((await repository.find('destination', subaccount, 'a'))?.labels).toHaveLength(20)
  },

  async 'changes no labels when the change throws'({ repository }) {
    await repository.create('destination', subaccount, [write('a')], roomy)
    await repository.setLabels('destination', subaccount, 'a', () => [env])
    const refusal = new Error('too many')
    const refused = repository.setLabels('destination', subaccount, 'a', () => {
      throw refusal
    })
    await expect(refused).rejects.toBe(refusal)
    expect((await repository.find('destination', subaccount, 'a'))?.labels).toEqual([env])
  },

  async 'removes what exists, labels included, and says what that was, in the order asked'({ repository }) {
    await repository.create('destination', subaccount, [write('a'), write('b'), write('c')], roomy)
    await repository.setLabels('destination', subaccount, 'a', () => [env])
    expect(await repository.remove('destination', subaccount, ['c', 'x', 'a'])).toEqual(['c', 'a'])
    expect(await repository.remove('destination', subaccount, ['a'])).toEqual([])
    expect((await repository.index('destination', subaccount)).map((entry) => entry.name)).toEqual(['b'])
    await repository.create('destination', subaccount, [write('a')], roomy)
    expect((await repository.find('destination', subaccount, 'a'))?.labels).toEqual([])
  },

  async 'reads many by name and leaves out what is not there'({ repository }) {
    const names = Array.from({ length: 300 }, (_, index) => `d${index}`)
    await repository.create(
      'destination',
      subaccount,
      names.map((name) => write(name)),
      roomy,
    )
    const read = await repository.read('destination', subaccount, ['d299', 'unknown', 'd0'])
    expect(read.map((stored) => stored.name).toSorted()).toEqual(['d0', 'd299'])
    const index = (await repository.index('destination', subaccount)).map((entry) => entry.name)
    expect(index.toSorted()).toEqual(names.toSorted())
    expect((await repository.index('destination', subaccount)).map((entry) => entry.name)).toEqual(index)
  },

  async 'walks over everything of a kind, whoever it belongs to, each once'({ repository }) {
    const names = Array.from({ length: 70 }, (_, index) => `c${index}`)
    for (const level of levels) {
      await repository.create(
        'certificate',
        level,
        names.map((name) => ({ ...write(name), hidden: { of: JSON.stringify(level) } })),
        roomy,
      )
    }
    await repository.create('destination', subaccount, [write('d')], roomy)
    const seen: FoundEntity[] = []
    for await (const found of repository.all('certificate', passOn)) {
      seen.push(found)
      // Jobs change what they walk over.
      if (found.entity.name === 'c7') await repository.replace('certificate', found.level, [write('c7')], { nowMs: 2_000 })
    }
    expect(seen).toHaveLength(levels.length * names.length)
    expect(new Set(seen.map(({ level, entity }) => JSON.stringify([level, entity.name]))).size).toBe(seen.length)
    for (const { level, entity } of seen) expect(entity.hidden).toEqual({ of: JSON.stringify(level) })
    for await (const found of repository.all('fragment', passOn)) expect(found).toBeUndefined()
  },

  async 'shows every change at once, also one that somebody else has made'({ repository, reopen }) {
    const other = await reopen()
    const seen = async (): Promise<readonly unknown[]> => {
      const found = await repository.find('destination', instance, 'a')
      const first = await repository.findFirst('destination', [instance, subaccount], 'a')
      expect(first?.entity).toEqual(found)
      return found === undefined ? [] : [found.properties['V'], found.labels.length]
    }
    await repository.create('destination', instance, [write('a', { V: '1' })], roomy)
    expect(await seen()).toEqual(['1', 0])
    for (const writer of [repository, other]) {
      await writer.replace('destination', instance, [write('a', { V: '2' })], roomy)
      expect(await seen()).toEqual(['2', 0])
      await writer.setLabels('destination', instance, 'a', () => [env])
      expect(await seen()).toEqual(['2', 1])
      await writer.remove('destination', instance, ['a'])
      expect(await seen()).toEqual([])
      await writer.create('destination', instance, [write('a', { V: '1' })], roomy)
      expect(await seen()).toEqual(['1', 0])
    }
  },

  async 'shows nobody a state that is older than the last acknowledged change, with readers and writers at the same time'({
    repository,
    reopen,
  }) {
    const other = await reopen()
    await repository.create('destination', subaccount, [write('a', { V: '0' })], roomy)
    let acknowledged = 0
    const finished = new AbortController()
    const change = async (): Promise<void> => {
      for (let version = 1; version <= 60; version += 1) {
        const writer = version % 2 === 0 ? repository : other
        if (version % 10 === 0) {
          await writer.remove('destination', subaccount, ['a'])
          await writer.create('destination', subaccount, [write('a', { V: String(version) })], roomy)
        } else await writer.replace('destination', subaccount, [write('a', { V: String(version) })], { nowMs: version })
        acknowledged = version
      }
      finished.abort()
    }
    const read = async (reader: EntityRepository): Promise<number> => {
      let stale = 0
      while (!finished.signal.aborted) {
        const before = acknowledged
        const found = await reader.findFirst('destination', [instance, subaccount], 'a')
        // Between deleting and creating there is none.
        if (found !== undefined && Number(found.entity.properties['V']) < before) stale += 1
      }
      return stale
    }
    const [, ...stale] = await Promise.all([change(), read(repository), read(other), read(repository)])
    expect(stale).toEqual([0, 0, 0])
  },

  async 'does nothing, and says so, when asked for nothing'({ repository }) {
    expect(await repository.create('destination', subaccount, [], roomy)).toEqual([])
    expect(await repository.replace('destination', subaccount, [], { nowMs: 1 })).toEqual([])
    expect(await repository.remove('destination', subaccount, [])).toEqual([])
    expect(await repository.read('destination', subaccount, [])).toEqual([])
    expect(await repository.index('destination', subaccount)).toEqual([])
    await repository.check()
  },

  async 'still has everything after a restart'({ repository, reopen }) {
    await repository.create('destination', instance, [write('a', { Password: 'p4ss' })], roomy)
    await repository.replace('destination', instance, [{ ...write('a', { Password: 'p4ss2' }), hidden: { h: '1' } }], { nowMs: 2_000 })
    await repository.setLabels('destination', instance, 'a', () => [env])
    const again = await reopen()
    expect(await again.find('destination', instance, 'a')).toMatchObject({
      properties: { Password: 'p4ss2' },
      hidden: { h: '1' },
      modifiedAtMs: 2_000,
      labels: [env],
    })
  },
}
