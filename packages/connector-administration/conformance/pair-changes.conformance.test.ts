import type { MaterialStore } from '@sallyport/cloud-connector'
import { ConnectivityError } from '@sallyport/core'
import { createManualClock, createTestIssuer } from '@sallyport/test-fixtures'
import { describe, expect, it } from 'vitest'
import type { ConfigurationEditor } from '../src/index.ts'
import type { AdministrationBench } from './administration-bench.ts'
import {
  cfg,
  connect,
  demo,
  ha,
  pass,
  roleOf,
  start,
  startConnectedPair,
  startPair,
  stop,
  switchRoles,
  takeOver,
  until,
} from './pair-bench.ts'

describe('a change of a master', () => {
  const describing = (description: string): object => ({ description })

  it('is acknowledged when the shadow has it', async () => {
    const { master, shadow } = await startPair()
    expect((await master.call('PUT', cfg, describing('at once'))).status).toBe(200)
    expect((await shadow.call('GET', cfg)).json().description).toBe('at once')
  })

  it('that is made together with others goes to the shadow with them', async () => {
    const { master, shadow } = await startPair()
    let fetched = 0
    const { snapshot } = master.pair.served
    Object.assign(master.pair.served, {
      snapshot: () => {
        fetched += 1
        return snapshot()
      },
    })
    const names = Array.from({ length: 12 }, (_, at) => `all ${at}`)
    const answers = await Promise.all(names.map((name) => master.call('PUT', cfg, describing(name))))
    expect(answers.map(({ status }) => status)).toEqual(names.map(() => 200))
    expect((await shadow.call('GET', cfg)).json().description).toBe(master.editor.document.connector.description)
    expect(fetched).toBeLessThan(names.length)
  })

  it('is acknowledged without the shadow while the cloud side answers, and without either it says who may not have it', async () => {
    const { cloud, master, shadow } = await startConnectedPair()
    await stop(shadow)
    await pass(master, 60)
    expect((await master.call('PUT', cfg, describing('alone'))).status).toBe(200)
    await stop(cloud)
    const answer = await master.call('PUT', cfg, describing('nobody knows'))
    expect([answer.status, answer.json()]).toEqual([
      500,
      {
        type: 'RUNTIME_FAILURE',
        message: expect.stringMatching(/in force here \(PUT \S+connector\), .*neither its shadow 127\.0\.0\.1:\d+ nor the cloud side/),
        next: expect.stringContaining('check the network'),
      },
    ])
    expect((await master.call('GET', cfg)).json().description).toBe('nobody knows')
  })

  it('is not acknowledged without the shadow as long as that may still take over, and is kept aside when it has', async () => {
    const { cloud, master, network, shadow } = await startConnectedPair()
    await pass(shadow, 10)
    const link = { whole: true }
    const cutFrom = (bench: AdministrationBench): void => {
      const { configurationChanged } = bench.pair.served
      Object.assign(bench.pair.served, {
        configurationChanged: () => (link.whole ? configurationChanged() : Promise.reject(new Error('cut'))),
      })
    }
    cutFrom(shadow)
    link.whole = false
    network.cut = true
    const answer = await master.call('PUT', cfg, describing('nobody else has it'))
    // What was made, why it is not confirmed, until when, and what to do.
    expect([answer.status, answer.json()]).toEqual([
      500,
      {
        type: 'RUNTIME_FAILURE',
        message: expect.stringMatching(
          /in force here \(PUT \S+connector\).*shadow 127\.0\.0\.1:\d+ cannot be reached, .* within \d+ s, until [\d-]{10}T[\d:]{8}Z/,
        ),
        next: expect.stringMatching(/repeat this change, or make any other, in \d+ s .*"op":"DISCONNECT"/),
      },
    ])
    expect(cloud.service.tunnels.list()).toHaveLength(1)
    await takeOver(shadow)
    expect((await master.call('PUT', cfg, describing('after it has taken over'))).status).toBe(500)
    network.cut = false
    link.whole = true
    await pass(shadow, 10)
    await until(async () => (await roleOf(master)) === 'shadow')
    await pass(master, 1)
    await until(() => master.editor.document.connector.description === shadow.editor.document.connector.description)
    const kept = (await master.call('GET', '/api/private/v1/highAvailability/replaced')).json()
    expect(kept).toEqual([{ keptAt: expect.stringMatching(/Z$/), revision: expect.any(Number), term: 0, document: expect.anything() }])
    expect(JSON.stringify(kept[0].document)).toContain('after it has taken over')
    expect(master.audited.map(({ message }) => message)).toContainEqual(
      expect.stringMatching(new RegExp(`kept revision \\d+ of term 0 .*\\(${kept[0].keptAt}\\).* revision \\d+ of term 1`)),
    )
    expect((await master.call('GET', '/api/private/v1/highAvailability/replaced', undefined, { as: 'monitoring' })).status).toBe(403)
  })

  /** It does not take the configuration, so that only its word counts. */
  const refuseChanges = ({ pair }: AdministrationBench): void => {
    Object.assign(pair.served, { configurationChanged: () => Promise.reject(new Error('gone')) })
  }

  it('is acknowledged at once without a shadow that was disconnected, and not any more when that is connected again', async () => {
    const { master, shadow } = await startConnectedPair()
    await shadow.call('POST', `${ha}/shadow/state`, { op: 'DISCONNECT' })
    refuseChanges(shadow)
    expect((await master.call('PUT', cfg, describing('at once'))).status).toBe(200)
    expect((await connect(shadow, {})).status).toBe(204)
    expect((await master.call('PUT', cfg, describing('it may take over again'))).status).toBe(500)
  })

  it('is acknowledged at once without a shadow that was stopped in an orderly way, and not any more when that looks after its master again', async () => {
    const { master, shadow } = await startConnectedPair()
    const { identity, material, port } = shadow
    await stop(shadow)
    expect((await master.call('PUT', cfg, describing('at once'))).status).toBe(200)
    const again = await start({ identity, material, port, clock: createManualClock(Date.now()) })
    await pass(again, 1)
    await until(() => again.pair.shadowState === 'READY')
    refuseChanges(again)
    expect((await master.call('PUT', cfg, describing('it may take over again'))).status).toBe(500)
  })

  it('that was made on disk, such as a key that somebody has replaced, reaches the shadow with the next check of either', async () => {
    const { master, shadow } = await startPair()
    const { revision } = master.editor.document
    await master.material.save('principal-ca demo ', 'replaced beside the administration')
    await pass(shadow, 9)
    expect(await shadow.material.load('principal-ca demo ')).toBeUndefined()
    await pass(shadow, 1)
    expect(await shadow.material.load('principal-ca demo ')).toBe('replaced beside the administration')
    await master.material.save('principal-ca demo ', 'and once more')
    await pass(master, 10)
    expect(await shadow.material.load('principal-ca demo ')).toBe('and once more')
    expect(master.editor.document.revision).toBe(revision)
  })

  it('of a key alone, which the shadow does not have when it takes over, is kept aside as well', async () => {
    const { master, network, shadow } = await startConnectedPair()
    await master.call('PUT', cfg, describing('both have it'))
    network.cut = true
    await master.material.save('principal-ca demo ', 'of the master alone')
    await takeOver(shadow)
    network.cut = false
    await pass(shadow, 10)
    await until(async () => (await roleOf(master)) === 'shadow')
    const kept = (await master.material.names()).filter((name) => name.startsWith('replaced '))
    expect(kept).toHaveLength(1)
    expect(await master.material.load(kept[0] ?? '')).toContain('of the master alone')
  })

  it('is acknowledged when the shadow has the trust list, too, which changes no revision', async () => {
    const { cloud, master, shadow } = await startConnectedPair()
    const { issuer, keys } = createTestIssuer()
    cloud.issuers.push({ issuer, name: 'Test', type: 'OAUTH2', keys } as never)
    const { revision } = master.editor.document
    expect((await master.call('POST', `${demo}/trust`)).status).toBe(204)
    expect(master.editor.document.revision).toBe(revision)
    const kept = await master.material.load('trust demo ')
    expect(kept).toContain(issuer)
    expect(await shadow.material.load('trust demo ')).toBe(kept)
    const idps = (await master.call('GET', `${demo}/trust/idps`)).json()
    expect(idps).toHaveLength(1)
    expect((await shadow.call('GET', `${demo}/trust/idps`)).json()).toEqual(idps)
  })

  it('is acknowledged when the shadow has the certificate of a new subaccount, too, which is kept after the configuration', async () => {
    const { cloud, master, shadow } = await startConnectedPair()
    const { save } = master.material
    Object.assign(master.material, {
      async save(name: string, text: string) {
        // The configuration has gone to the shadow before.
        if (name.startsWith('identity')) await pass(master, 0)
        await save(name, text)
      },
    })
    const authenticationData = await cloud.authenticationData('second')
    expect((await master.call('POST', '/api/v1/configuration/subaccounts', { authenticationData })).status).toBe(201)
    expect(await shadow.material.load('identity second ')).toBe(await master.material.load('identity second '))
  })

  it('is not asked about after a call that changes nothing, or this instance alone', async () => {
    const { cloud, master, shadow } = await startConnectedPair()
    await stop(shadow)
    await stop(cloud)
    expect((await master.call('PUT', cfg, describing('not confirmed'))).status).toBe(500)
    // Whoever tries again is not told that it is kept now.
    expect((await master.call('PUT', cfg, describing('not confirmed'))).status).toBe(500)
    const own = '/api/private/v1'
    for (const [method, path, body, status] of [
      ['POST', '/api/v1/configuration/backup', { password: 'x' }, 200],
      ['PUT', `${own}/runtime`, { maxHeap: '512M' }, 204],
      ['PATCH', `${cfg}/logAndTrace`, { sccLogLevel: 'DEBUG' }, 204],
      ['POST', `${own}/subaccounts/cf.self.example/demo/simulation/request`, { virtualHost: 'a', virtualPort: '1' }, 200],
      ['POST', `${own}/secureStore/shrink`, undefined, 200],
    ] as const)
      expect([path, (await master.call(method, path, body)).status]).toEqual([path, status])
    await master.material.save('trust gone ', '[]')
    expect((await master.call('POST', `${own}/secureStore/shrink`)).status).toBe(500)
  })

  it('needs nobody else where there is no shadow, or nothing that it could take over', async () => {
    const { master, shadow } = await startPair()
    await stop(shadow)
    expect((await master.call('PUT', cfg, describing('no subaccount'))).status).toBe(200)
    const alone = await start({ haRole: 'master' })
    expect((await alone.call('PUT', cfg, describing('no pair'))).status).toBe(200)
  })

  it('is acknowledged when the audit log has it on disk', async () => {
    const master = await start({ haRole: 'master' })
    const order: string[] = []
    const flushed = (): Promise<void> => Promise.resolve().then(() => void order.push('audited'))
    Object.assign(master.audit, { flushed })
    await master.call('PUT', cfg, describing('audited')).then(() => order.push('answered'))
    expect(order).toEqual(['audited', 'answered'])
    const full = new ConnectivityError('STORE_FAILED', 'the audit log cannot be written (ENOSPC)')
    Object.assign(master.audit, { flushed: () => Promise.reject(full) })
    const refused = await master.call('PUT', cfg, describing('not audited'))
    expect([refused.status, refused.json().message]).toEqual([500, full.message])
    Object.assign(master.audit, { flushed: () => Promise.resolve() })
  })
})

describe('a change that waits while the role is given away', () => {
  it('is refused at its turn: nobody would have it otherwise', async () => {
    const { master, shadow } = await startConnectedPair()
    // The store is slow; meanwhile a change, the switch, and another change line up.
    const store = holdBack(master.material, 'administration')
    const waiting = lineUp(master.editor)
    const before = master.call('PUT', cfg, { description: 'before the switch' })
    await waiting(1)
    const switched = switchRoles(master)
    await waiting(2)
    const after = master.call('PUT', cfg, { description: 'after the switch' })
    const subaccount = master.call('PUT', demo, { description: 'after the switch' })
    await waiting(4)
    store.release()
    expect([(await before).status, (await switched).status, (await after).status, (await subaccount).status]).toEqual([200, 204, 403, 403])
    expect((await shadow.call('GET', cfg)).json()).toEqual({ ha: 'master', description: 'before the switch' })
  })
})

/** Makes saving this name wait until it is released. */
function holdBack(material: MaterialStore, slow: string): { release(): void } {
  const { save } = material
  let release = (): void => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  Object.assign(material, {
    async save(name: string, text: string) {
      if (name === slow) await released
      await save(name, text)
    },
  })
  return { release: () => release() }
}

/** Tells when so many changes have been asked for. */
function lineUp(editor: ConfigurationEditor): (count: number) => Promise<void> {
  const { change } = editor
  let asked = 0
  Object.assign(editor, {
    change(...given: Parameters<typeof change>) {
      asked++
      return change(...given)
    },
  })
  return (count) => until(() => asked >= count)
}
