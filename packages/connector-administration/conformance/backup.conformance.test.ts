import { createMaterialMemory } from '@sallyport/cloud-connector'
import { unzipSync, zipSync } from 'fflate'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { requireNoPendingRestore } from '../src/index.ts'
import { type AdministrationBench, startAdministrationBench } from './administration-bench.ts'

const path = '/api/v1/configuration/backup'
const proxy = '/api/v1/configuration/connector/proxy'
let bench: AdministrationBench
beforeEach(async () => {
  bench = await startAdministrationBench({ haRole: 'master', startOptions: 'heap=1024M\n' })
  await bench.call('PUT', proxy, { host: 'proxy.example', port: 8080, user: 'u', password: 'very secret word' })
  await bench.material.save('trust demo ', 'kept as well, secret too')
})
afterEach(() => bench[Symbol.asyncDispose]())

const takeBackup = async (password = 'pass word'): Promise<Buffer> => (await bench.call('POST', path, { password })).bytes
const restore = (
  to: AdministrationBench,
  archive: Buffer,
  password = 'pass word',
): Promise<{ readonly status: number; readonly json: () => any }> =>
  to.upload('PUT', path, [
    ['backup', archive],
    ['password', password],
  ])

/** The next start of the process that a bench stands for. */
async function startAgain(given: Parameters<typeof startAdministrationBench>[0] = {}): Promise<void> {
  await bench[Symbol.asyncDispose]()
  bench = await startAdministrationBench({ material: bench.material, ...given })
}

describe('a backup', () => {
  it('CC-176 opens as a ZIP without password, and tells no secret', async () => {
    const answer = await bench.call('POST', path, { password: 'pass word' })
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/zip'])
    const files = unzipSync(answer.bytes)
    expect(Object.keys(files).toSorted()).toEqual(['backup.json', 'configuration.sealed', 'props.ini'])
    expect(JSON.parse(Buffer.from(files['backup.json'] ?? []).toString())).toMatchObject({ format: 1, productVersion: '1.2.3' })
    for (const content of [answer.bytes, ...Object.values(files)])
      expect(Buffer.from(content).toString('latin1')).not.toMatch(/secret|proxy\.example/)
  })

  it('needs a password', async () => {
    expect((await bench.call('POST', path, {})).status).toBe(400)
    expect((await bench.call('POST', path, { password: '' })).status).toBe(400)
  })

  it('is for administrators', async () => {
    expect((await bench.call('POST', path, { password: 'x' }, { as: 'sccassocadmin' })).status).toBe(403)
  })
})

describe('a restore', () => {
  it('replaces everything at the next start, also on another machine', async () => {
    const archive = await takeBackup()
    const other = createMaterialMemory()
    await bench[Symbol.asyncDispose]()
    bench = await startAdministrationBench({ haRole: 'master', material: other })
    await bench.call('PUT', '/api/v1/configuration/connector', { description: 'goes away' })
    await bench.material.save('trust other ', 'goes away')
    expect((await restore(bench, archive)).status).toBe(204)
    expect(bench.restarts).toBe(1)
    expect(bench.audited.at(-1)).toMatchObject({
      type: 'backup-restored',
      user: 'sccadmin',
      message: 'User sccadmin restored a backup with 0 subaccounts from 127.0.0.1',
    })
    await startAgain()
    expect((await bench.call('GET', proxy)).json()).toEqual({ host: 'proxy.example', port: '8080', user: 'u', password: '***' })
    expect(bench.editor.document.connector.proxy?.password).toBe('very secret word')
    expect((await bench.call('GET', '/api/v1/configuration/connector')).json()).toEqual({ ha: 'master', description: '' })
    expect(await bench.material.load('trust demo ')).toBe('kept as well, secret too')
    expect(await bench.material.load('trust other ')).toBeUndefined()
  })

  it('refuses changes of the stopped connector until it has taken place, because it would undo them', async () => {
    await requireNoPendingRestore(bench.material)
    await restore(bench, await takeBackup())
    await expect(requireNoPendingRestore(bench.material)).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' })
    await startAgain()
    await requireNoPendingRestore(bench.material)
  })

  it('that was interrupted goes on at the next start', async () => {
    const archive = await takeBackup()
    await bench.call('DELETE', proxy)
    await restore(bench, archive)
    // As after a kill in the middle: something is replaced, the rest and the kept backup are still there.
    await bench.material.save('trust demo ', 'half way')
    await startAgain()
    expect(await bench.material.load('trust demo ')).toBe('kept as well, secret too')
    expect((await bench.call('GET', proxy)).json().host).toBe('proxy.example')
  })

  it('CC-177 with a wrong password gives 400 and changes nothing', async () => {
    const archive = await takeBackup()
    await bench.call('DELETE', proxy)
    expect((await restore(bench, archive, 'other')).status).toBe(400)
    expect((await bench.upload('PUT', path, [['backup', archive]])).status).toBe(400)
    expect(bench.restarts).toBe(0)
    await startAgain()
    expect((await bench.call('GET', proxy)).json()).toEqual({})
  })

  it('takes nothing that was changed, is no backup, or unpacks to too much', async () => {
    const archive = await takeBackup()
    const files = unzipSync(archive)
    const manifest = JSON.parse(Buffer.from(files['backup.json'] ?? []).toString())
    const changed = (name: string, content: Uint8Array): Buffer => Buffer.from(zipSync({ ...files, [name]: content }))
    const sealed = Buffer.from(files['configuration.sealed'] ?? [])
    sealed[40] = (sealed[40] ?? 0) ^ 1
    for (const bad of [
      changed('configuration.sealed', sealed),
      changed('backup.json', Buffer.from(JSON.stringify({ ...manifest, createdAt: '2020-01-01T00:00:00.000Z' }))),
      changed('backup.json', Buffer.from(JSON.stringify({ ...manifest, lock: { ...manifest.lock, cost: 30 } }))),
      Buffer.from(zipSync({ 'other.txt': Buffer.from('x') })),
      Buffer.from('no archive'),
      Buffer.from(zipSync({ 'backup.json': Buffer.alloc(140_000_000) })),
    ]) {
      expect((await restore(bench, bad)).status).toBe(400)
    }
    expect(bench.restarts).toBe(0)
  })

  it('CC-178 is refused on a shadow, and into an older version', async () => {
    const archive = await takeBackup()
    await startAgain({ version: '1.2.2' })
    const older = await restore(bench, archive)
    expect([older.status, older.json().message]).toEqual([400, expect.stringContaining('1.2.3')])
    await startAgain({ version: '1.10.0' })
    expect((await restore(bench, archive)).status).toBe(204)
    await bench[Symbol.asyncDispose]()
    bench = await startAdministrationBench({ haRole: 'shadow' })
    expect((await restore(bench, archive)).status).toBe(403)
    expect((await bench.call('POST', path, { password: 'x' })).status).toBe(403)
  })

  it('puts start options that differ beside those in use, and leaves equal ones alone', async () => {
    const archive = await takeBackup()
    expect([(await restore(bench, archive)).status, bench.restoredStartOptions]).toEqual([204, undefined])
    await startAgain({ startOptions: 'heap=2048M\n' })
    expect([(await restore(bench, archive)).status, bench.restoredStartOptions]).toEqual([204, 'heap=1024M\n'])
  })
})

describe('the audit log', () => {
  it('CC-146 names user, category, old and new value of what is of the whole installation, and no secret', async () => {
    await bench.call('PUT', proxy, { host: 'other.example', port: 3128, password: 'another secret' }, { as: 'sccadmin' })
    await bench.call('PATCH', '/api/v1/configuration/connector/onPremises/truststore', { trustAllBackends: true })
    const lines = bench.audited.filter(({ type }) => type === 'configuration-changed')
    expect(lines.at(-1)).toEqual({
      type: 'configuration-changed',
      category: 'TrustedBackendCertificate',
      subaccount: '',
      user: 'sccadmin',
      message: 'User sccadmin changed parameter TrustStoreMode from {"trustAllBackends":false} to {"trustAllBackends":true}',
    })
    expect(lines.at(-2)).toMatchObject({ category: 'ProxySettings', message: expect.stringMatching(/proxy\.example.*other\.example/) })
    expect(JSON.stringify(lines)).not.toContain('secret')
    const region = { name: 'Own', host: 'cf.own.example', url: 'https://own.example:8041' }
    expect((await bench.call('POST', '/api/private/v1/regions', region)).status).toBe(201)
    expect(bench.audited.at(-1)).toMatchObject({
      category: 'Configuration',
      user: 'sccadmin',
      message: expect.stringContaining('cf.own.example'),
    })
  })
})
