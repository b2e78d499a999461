import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { createMaterialMemory, loadIdentities, type MaterialStore } from '@sallyport/cloud-connector'
import { createManualClock } from '@sallyport/test-fixtures'
import { afterEach, describe, expect, it } from 'vitest'
import { createDocumentStore } from '../src/index.ts'
import { type AdministrationBench, startAdministrationBench } from './administration-bench.ts'

const folder = new URL('documents/', import.meta.url)
const cfg = '/api/v1/configuration/connector'

/** An installation as an earlier version left it. */
interface Sample {
  readonly productVersion: string
  readonly writtenAtMs: number
  /** What was answered about it, by path. */
  readonly answers: Readonly<Record<string, unknown>>
  /** In base64. */
  readonly backup: string
  readonly material: Readonly<Record<string, string>>
  readonly materialOfShadow: Readonly<Record<string, string>>
}
const samples = readdirSync(folder).filter((name) => name.endsWith('.json'))
const read = (name: string): Sample => JSON.parse(readFileSync(new URL(name, folder), 'utf8'))

const benches: AdministrationBench[] = []
afterEach(async () => {
  for (const bench of benches.splice(0)) await bench[Symbol.asyncDispose]()
})
async function storeOf(material: Readonly<Record<string, string>>): Promise<MaterialStore> {
  const store = createMaterialMemory()
  for (const [name, text] of Object.entries(material)) await store.save(name, text)
  return store
}
async function start(sample: Sample, given: Parameters<typeof startAdministrationBench>[0] = {}): Promise<AdministrationBench> {
  const bench = await startAdministrationBench({ clock: createManualClock(sample.writtenAtMs), version: '1.3.0', ...given })
  benches.push(bench)
  return bench
}

/** What is asked again has to be as it was; there may be more by now. */
async function expectAnswers(bench: AdministrationBench, { answers }: Sample): Promise<void> {
  for (const [path, before] of Object.entries(answers)) {
    const { body, status } = await bench.call('GET', path)
    expect([path, status]).toEqual([path, 200])
    const now = JSON.parse(body.replaceAll(`https://127.0.0.1:${bench.port}`, ''))
    expect(now, path).toMatchObject(before as object)
  }
}

async function expectSecrets(bench: AdministrationBench, { answers }: Sample): Promise<void> {
  const { connector, onPremises, reporting } = bench.editor.document
  expect(connector.proxy?.password).toBe('secret of the proxy')
  expect(reporting.email).toMatchObject(`${cfg}/email` in answers ? { smtpPassword: 'secret of the mail' } : {})
  expect(bench.access.editor.settings.ldap.stores[0]?.password).toBe('secret of the directory')
  for (const { current } of [onPremises.systemCertificate, onPremises.ppCaCertificate]) expectKey(current)
  const [identity] = await loadIdentities(bench.material)
  expectKey(identity && { certificate: identity.certificate, key: identity.key.reveal() })
  const der = { headers: { accept: 'application/pkix-cert' } }
  const sample = await bench.call('GET', `${cfg}/onPremises/subjectPatternRules/0/sampleCertificate?mail=jane@acme.example`, undefined, der)
  const authority = new X509Certificate(onPremises.ppCaCertificate.current?.certificate ?? '')
  expect(new X509Certificate(sample.bytes).verify(authority.publicKey)).toBe(true)
  const logOn = async (user: string): Promise<number> => (await bench.send('GET', cfg, { user })).status
  expect([await logOn('jane:word of jane'), await logOn('jane:another word')]).toEqual([200, 401])
}
function expectKey(owned: { readonly certificate: string; readonly key: string } | undefined): void {
  expect(new X509Certificate(owned?.certificate ?? '').checkPrivateKey(createPrivateKey(owned?.key ?? ''))).toBe(true)
}

describe.each(samples)('CC-180 the configuration that an earlier version wrote (%s)', (name) => {
  const sample = read(name)

  it('loads unchanged: all areas answer as before, and all secrets are of use', async () => {
    const bench = await start(sample, { material: await storeOf(sample.material) })
    await expectAnswers(bench, sample)
    await expectSecrets(bench, sample)
    // The first change writes it in the form of today.
    expect((await bench.call('PUT', cfg, { description: 'changed by this version' })).status).toBe(200)
    await bench[Symbol.asyncDispose]()
    benches.pop()
    const again = await start(sample, { material: bench.material })
    await expectAnswers(again, {
      ...sample,
      answers: { ...sample.answers, [cfg]: { ha: 'master', description: 'changed by this version' } },
    })
    await expectSecrets(again, sample)
  })

  it('is restored from the backup that was made of it', async () => {
    const bench = await start(sample, { haRole: 'master' })
    const restored = await bench.upload('PUT', '/api/v1/configuration/backup', [
      ['backup', Buffer.from(sample.backup, 'base64')],
      ['password', 'pass word'],
    ])
    expect([restored.status, restored.body]).toEqual([204, ''])
    await bench[Symbol.asyncDispose]()
    benches.pop()
    const again = await start(sample, { material: bench.material })
    const { [`${cfg}/ha/master/config`]: _own, ...answers } = sample.answers
    await expectAnswers(again, { ...sample, answers })
    await expectSecrets(again, sample)
  })

  it('loads on a shadow as well, which still knows its master', async () => {
    const shadow = await start(sample, { material: await storeOf(sample.materialOfShadow) })
    expect((await shadow.call('GET', `${cfg}/ha/shadow/config`)).json()).toMatchObject({
      masterHost: '127.0.0.1',
      checkIntervalInSeconds: 10,
    })
    expect(shadow.pair.settings.peer).toMatchObject({ host: '127.0.0.1', secret: expect.stringMatching(/^[\w-]{43}$/) })
    expect((await shadow.call('GET', cfg)).json()).toMatchObject({ ha: 'shadow', description: 'plant 7' })
  })
})

describe('the configuration that a newer version wrote', () => {
  const materialOf = (document: object): Promise<MaterialStore> => storeOf({ administration: JSON.stringify(document) })

  it.each([
    ['a minor version', { writtenBy: '1.4.0' }, /newer version 1\.4\.0 .* this one is 1\.3\.0/],
    ['a major version', { writtenBy: '2.0.0', whatever: 1 }, /newer version 2\.0\.0/],
    ['a format', { version: 2, areas: [] }, /format 2; .* reads format 1/],
  ])('is refused when it was %s, and says what to do', async (_what, document, message) => {
    const store = createDocumentStore(await materialOf(document), '1.3.0')
    await expect(store.load()).rejects.toMatchObject({ code: 'STORE_FAILED', message: expect.stringMatching(message) })
    await expect(store.load()).rejects.toThrow('restore a backup that this version has made')
  })

  it('loads when it was a micro version, or the same one', async () => {
    for (const writtenBy of ['1.3.7', '1.3.0', '1.2.9', undefined])
      expect(await createDocumentStore(await materialOf({ writtenBy, revision: 7 }), '1.3.0').load()).toMatchObject({ revision: 7 })
  })

  it('is not taken over by a shadow of the older version, which keeps what it has and says why', async () => {
    const before = read('format-1.json')
    const shadow = await start(before, { material: await storeOf(before.materialOfShadow), version: '1.3.0' })
    const { installation } = await snapshotOf('1.4.0')
    await expect(shadow.installation.apply(installation)).rejects.toThrow('newer version 1.4.0')
    expect((await shadow.call('GET', cfg)).json()).toMatchObject({ description: 'plant 7' })
  })
})

/** What a master of another version sends. */
async function snapshotOf(
  version: string,
): Promise<{ readonly installation: Parameters<AdministrationBench['installation']['apply']>[0] }> {
  const master = await startAdministrationBench({ haRole: 'master', version })
  benches.push(master)
  return { installation: await master.installation.snapshot() }
}
