import { createManualClock } from '@sallyport/test-fixtures'
import { expect, it } from 'vitest'
import { restoreHoldMs } from '../src/limits.ts'
import type { AdministrationBench } from './administration-bench.ts'
import {
  cfg,
  enable,
  configure,
  connect,
  ha,
  pass,
  passSteps,
  roleOf,
  start,
  startConnectedPair,
  startPair,
  stateOf,
  stop,
  until,
} from './pair-bench.ts'

const path = '/api/v1/configuration/backup'

const describe = async (bench: AdministrationBench, description: string): Promise<void> => {
  expect((await bench.call('PUT', cfg, { description })).status).toBe(200)
}
const descriptionOf = async (bench: AdministrationBench): Promise<string> => (await bench.call('GET', cfg)).json().description
const takeBackup = async (bench: AdministrationBench): Promise<Buffer> => (await bench.call('POST', path, { password: 'pass word' })).bytes
const restore = (bench: AdministrationBench, archive: Buffer): ReturnType<AdministrationBench['upload']> =>
  bench.upload('PUT', path, [
    ['backup', archive],
    ['password', 'pass word'],
  ])
/** The next start of the process that a bench stands for. */
const startAgain = ({ clock, identity, material, port }: AdministrationBench): Promise<AdministrationBench> =>
  start({ clock, identity, material, port })

it('a shadow waits while its master starts again with a restored backup, and takes that instead of what it has', async () => {
  const { cloud, master, shadow } = await startConnectedPair()
  await describe(master, 'of the backup')
  const archive = await takeBackup(master)
  await describe(master, 'later than the backup')
  const later = master.editor.document.revision
  expect((await restore(master, archive)).status).toBe(204)
  await stop(master)
  await passSteps(shadow, 40)
  expect([await roleOf(shadow), await stateOf(shadow, 'shadow')]).toEqual(['shadow', 'LOST'])
  expect((await shadow.call('GET', `${ha}/shadow/state`)).json().stateMessage).toContain('the master restores a backup')
  const again = await startAgain(master)
  expect(again.editor.document.revision).toBeGreaterThan(later)
  await pass(shadow, 10)
  await until(async () => (await descriptionOf(shadow)) === 'of the backup')
  expect([await roleOf(again), await roleOf(shadow), await stateOf(shadow, 'shadow')]).toEqual(['master', 'shadow', 'READY'])
  expect((await again.call('GET', '/api/private/v1/highAvailability/replaced')).json()).toEqual([])
  await until(() => cloud.service.tunnels.list().length === 1)
  // It is a shadow as before again.
  await stop(again)
  await passSteps(shadow, 18)
  await until(async () => (await roleOf(shadow)) === 'master')
  expect(await descriptionOf(shadow)).toBe('of the backup')
})

it('a shadow serves with what it has when its master does not come back, which then is a shadow and has kept aside what was restored', async () => {
  const { master, shadow } = await startConnectedPair()
  await describe(master, 'of the backup')
  const archive = await takeBackup(master)
  await describe(master, 'later than the backup')
  expect((await restore(master, archive)).status).toBe(204)
  await stop(master)
  await passSteps(shadow, restoreHoldMs / 1000 - 20, 10)
  expect(await roleOf(shadow)).toBe('shadow')
  await passSteps(shadow, 40)
  await until(async () => (await roleOf(shadow)) === 'master')
  expect(await descriptionOf(shadow)).toBe('later than the backup')
  const again = await startAgain(master)
  await pass(again, 1)
  await until(async () => (await descriptionOf(again)) === 'later than the backup')
  expect([await roleOf(again), await roleOf(shadow)]).toEqual(['shadow', 'master'])
  const kept = (await again.call('GET', '/api/private/v1/highAvailability/replaced')).json()
  expect(JSON.stringify(kept)).toContain('of the backup')
})

it('what was restored is fetched also when the backup is of another installation and has the revision that the shadow has', async () => {
  const { master, shadow } = await startPair()
  for (const text of ['one', 'two']) await describe(master, text)
  const other = await start({ haRole: 'master' })
  while (other.editor.document.revision < master.editor.document.revision)
    await describe(other, `of another one, ${other.editor.document.revision}`)
  expect(other.editor.document.revision).toBe(shadow.pair.settings.appliedRevision)
  expect((await restore(master, await takeBackup(other))).status).toBe(204)
  await stop(master)
  const again = await startAgain(master)
  await pass(shadow, 10)
  await until(async () => (await descriptionOf(shadow)) === (await descriptionOf(again)))
  expect(await descriptionOf(shadow)).toMatch(/^of another one/)
})

it('a restore is refused while the shadow may take over and cannot be told; nothing has changed then', async () => {
  const cloudless = await start({ haRole: 'master', clock: createManualClock(Date.now()) })
  const shadow = await start({ haRole: 'shadow', clock: createManualClock(Date.now()) })
  await enable(cloudless)
  await configure(shadow, cloudless)
  expect((await connect(shadow)).status).toBe(204)
  const archive = await takeBackup(cloudless)
  Object.assign(shadow.pair.served, {
    awaitRestore() {
      throw new Error('busy')
    },
  })
  const refused = await restore(cloudless, archive)
  expect([refused.status, refused.json().message]).toEqual([409, expect.stringMatching(/cannot be told to wait.*Disconnect it/)])
  expect(cloudless.restarts).toBe(0)
  await shadow.call('POST', `${ha}/shadow/state`, { op: 'DISCONNECT' })
  expect((await restore(cloudless, archive)).status).toBe(204)
})
