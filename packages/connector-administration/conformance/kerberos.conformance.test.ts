import { createMaterialMemory } from '@sallyport/cloud-connector'
import { createTestKeytab } from '@sallyport/test-fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type AdministrationBench, type BenchAnswer, startAdministrationBench } from './administration-bench.ts'
import { startPair, until } from './pair-bench.ts'

const path = '/api/private/v1/onPremises/kerberos'
const keytab = createTestKeytab([{ principal: 'svc-connector@ACME.TEST', encryption: 18 }])
/** Of a machine without KDC, so that nobody waits for one. */
const settings = {
  realm: 'ACME.TEST',
  kdcHosts: ['127.0.0.1:1'],
  encryptionTypes: ['AES256_CTS_HMAC_SHA1_96'],
  serviceUser: 'svc-connector',
  userDomains: ['acme.example'],
}
const shownKeytab = [{ principal: 'svc-connector@ACME.TEST', encryption: 18 }]

let bench: AdministrationBench
const put = (
  to: AdministrationBench,
  changes: Readonly<Record<string, unknown>> = {},
  file: Buffer | undefined = keytab,
): Promise<BenchAnswer> =>
  to.upload('PUT', path, [
    ['settings', JSON.stringify({ ...settings, ...changes })],
    ...(file === undefined ? [] : [['keytab', file] as const]),
  ])

describe('Kerberos settings', () => {
  beforeEach(async () => {
    bench = await startAdministrationBench({ haRole: 'master' })
  })
  afterEach(() => bench[Symbol.asyncDispose]())

  it('are not there at first, are shown without keys, reach the connector, and are removed', async () => {
    for (const method of ['GET', 'DELETE']) expect((await bench.call(method, path)).status).toBe(404)
    await bench.expose({ regionHost: 'cf.eu10.hana.ondemand.com', subaccount: 'demo' })
    const answer = await put(bench)
    expect([answer.status, answer.json()]).toMatchObject([200, { ...settings, keytab: shownKeytab }])
    expect((await bench.call('GET', path)).json()).toEqual({ ...settings, keytab: shownKeytab })
    expect((await bench.call('GET', path.replace('onPremises', 'onPremise'))).status).toBe(200)
    expect(bench.rendered('demo').kerberos).toEqual({ ...settings, keytab: { file: 'kerberos.keytab' } })
    expect((await bench.call('DELETE', path)).status).toBe(204)
    expect((await bench.call('GET', path)).status).toBe(404)
    expect(bench.rendered('demo').kerberos).toBeUndefined()
  })

  it('keep their keytab when only the rest changes', async () => {
    await put(bench)
    const changed = { ...settings, kdcHosts: ['127.0.0.1:2', '127.0.0.1:3'] }
    expect((await bench.upload('PUT', path, [['settings', JSON.stringify(changed)]])).status).toBe(200)
    expect((await bench.call('GET', path)).json()).toEqual({ ...changed, keytab: shownKeytab })
  })

  it('are tried out at once: what is wrong is told, and they are kept', async () => {
    const { problem } = (await put(bench)).json()
    expect(problem).toMatch(/is not installed|no KDC answers|cannot be loaded/)
    expect((await bench.call('POST', `${path}/check`)).json().problem).toMatch(/is not installed|no KDC answers|cannot be loaded/)
    expect((await bench.call('GET', path)).status).toBe(200)
  })

  it.each([
    [{ realm: 'A B' }, 'settings.realm'],
    [{ realm: undefined }, 'settings.realm'],
    [{ kdcHosts: [] }, 'settings.kdcHosts'],
    [{ kdcHosts: ['kdc:70000'] }, 'settings.kdcHosts.0'],
    [{ encryptionTypes: ['DES'] }, 'settings.encryptionTypes.0'],
    [{ serviceUser: '-x' }, 'settings.serviceUser'],
    [{ unknown: 1 }, 'settings'],
    [{ serviceUser: 'other' }, 'has no key of other@ACME.TEST, but of svc-connector@ACME.TEST'],
    [{ encryptionTypes: ['RC4_HMAC'] }, 'no key of svc-connector@ACME.TEST with encryption RC4_HMAC'],
  ])('with %j are refused', async (changes, expected) => {
    const answer = await put(bench, changes)
    expect([answer.status, answer.json().message]).toEqual([400, expect.stringContaining(expected)])
    expect((await bench.call('GET', path)).status).toBe(404)
  })

  it.each([
    ['without keytab', undefined, 'the part "keytab" is missing'],
    ['with something else as keytab', Buffer.from('-----BEGIN CERTIFICATE-----'), 'it is no keytab'],
    ['with half of a keytab', keytab.subarray(0, 40), 'it ends within an entry'],
    ['with a huge keytab', Buffer.concat([keytab, Buffer.alloc(70_000)]), 'has more than 65536 bytes'],
  ])('%s are refused', async (_how, file, expected) => {
    const parts = file === undefined ? [] : [['keytab', file] as const]
    const answer = await bench.upload('PUT', path, [['settings', JSON.stringify(settings)], ...parts])
    expect([answer.status, answer.json().message]).toEqual([400, expect.stringContaining(expected)])
  })

  it('are for administrators to change, and for everybody to see', async () => {
    await put(bench)
    for (const role of ['sccassocadmin', 'sccsupport', 'sccdisplay']) {
      expect((await bench.call('GET', path, undefined, { as: role })).status).toBe(200)
      expect((await bench.call('DELETE', path, undefined, { as: role })).status).toBe(403)
    }
    expect((await bench.call('PUT', path, settings)).status).toBe(415)
  })

  it('are audited as KerberosConfiguration with the user, and never with the keytab', async () => {
    await put(bench)
    await put(
      bench,
      {},
      createTestKeytab([
        { principal: 'svc-connector@ACME.TEST', encryption: 18 },
        { principal: 'x@ACME.TEST', encryption: 18 },
      ]),
    )
    await bench.call('DELETE', path)
    const entries = bench.audited.filter((entry) => 'category' in entry && entry.category === 'KerberosConfiguration')
    expect(entries.map(({ user, message }) => [user, message.slice(0, 60)])).toEqual([
      ['sccadmin', expect.stringMatching(/^User sccadmin changed parameter Kerberos from \{\} to \{"realm/)],
      ['sccadmin', expect.stringMatching(/^User sccadmin changed parameter Kerberos from \{"realm/)],
      ['sccadmin', expect.stringMatching(/^User sccadmin changed parameter Kerberos from \{"realm/)],
    ])
    const key = keytab.toString('base64').slice(-60, -8)
    expect(JSON.stringify(bench.audited)).not.toContain(key)
    expect(JSON.stringify(bench.editor.document)).not.toContain(key)
  })

  it('are restored from a backup, with their keytab', async () => {
    await put(bench)
    const archive = (await bench.call('POST', '/api/v1/configuration/backup', { password: 'pass word' })).bytes
    expect(archive.toString('latin1')).not.toContain('svc-connector')
    await bench[Symbol.asyncDispose]()
    const material = createMaterialMemory()
    bench = await startAdministrationBench({ haRole: 'master', material })
    const restored = await bench.upload('PUT', '/api/v1/configuration/backup', [
      ['backup', archive],
      ['password', 'pass word'],
    ])
    expect(restored.status).toBe(204)
    await bench[Symbol.asyncDispose]()
    bench = await startAdministrationBench({ material })
    expect((await bench.call('GET', path)).json()).toEqual({ ...settings, keytab: shownKeytab })
    expect(bench.editor.document.onPremises.kerberos?.keytab).toBe(keytab.toString('base64'))
  })
})

it('Kerberos settings are pushed to the shadow with their keytab, which does not change them itself', async () => {
  const { master, shadow } = await startPair()
  expect((await put(master)).status).toBe(200)
  master.clock.advance(0)
  await until(() => shadow.editor.document.onPremises.kerberos !== undefined)
  expect(shadow.editor.document.onPremises.kerberos).toEqual({ ...settings, keytab: keytab.toString('base64') })
  expect((await put(shadow, { realm: 'OTHER.TEST' })).status).toBe(403)
})
