import { X509Certificate } from 'node:crypto'
import { connect } from 'node:tls'
import { once } from 'node:events'
import { type Logger, silentLogger } from '@sallyport/core'
import { createManualClock } from '@sallyport/test-fixtures'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { renewGeneratedCertificates } from '../src/index.ts'
import { generatedRenewalCheckMs } from '../src/limits.ts'
import { describeCertificate } from '../src/certificates/owned-certificate.ts'
import { type AdministrationBench, startAdministrationBench } from './administration-bench.ts'

const cfg = '/api/v1/configuration/connector'
const paths = {
  ui: `${cfg}/ui/uiCertificate`,
  system: `${cfg}/onPremises/systemCertificate`,
  ca: `${cfg}/onPremises/ppCaCertificate`,
}
const hourMs = 3_600_000
const dayMs = 24 * hourMs
const wish = { type: 'selfsigned', keySize: 2048, subjectDN: 'CN=plant 7,OU=SAP,O=Acme,C=DE' }

let bench: AdministrationBench
let warned: string[]
beforeEach(async () => {
  warned = []
  bench = await startAdministrationBench({ haRole: 'master', clock: createManualClock(Date.now()) })
})
afterEach(() => bench[Symbol.asyncDispose]())

const generate = async (path: string, more: object): Promise<void> => {
  const answer = await bench.call('POST', path, { ...wish, ...more })
  expect([answer.status, answer.body]).toEqual([201, ''])
}
const shown = async (path: string): Promise<any> => (await bench.call('GET', path)).json()
/** The job looks once, as it does at every start and every hour. */
const look = async (): Promise<void> => {
  const log: Logger = { ...silentLogger, warn: (fields) => void warned.push(String(fields['reason'])) }
  const stop = begin(log)
  bench.clock.advance(0)
  await stop()
}
const begin = (log: Logger): (() => Promise<void>) =>
  renewGeneratedCertificates({ access: bench.access, editor: bench.editor, pair: bench.pair, clock: bench.clock, log })

it.each([
  [1, 12 * hourMs],
  [2, dayMs],
  [14, dayMs],
  [15, 3 * dayMs],
  [31, 3 * dayMs],
  [32, 7 * dayMs],
  [154, 7 * dayMs],
  [155, 30 * dayMs],
  [365, 30 * dayMs],
  [730, 30 * dayMs],
])('CC-045 a generated certificate of %i days is renewed %i ms before its end, and not earlier', async (validityInDays, leadMs) => {
  await generate(paths.system, { validityInDays, autoRenewal: 'true' })
  const before = await shown(paths.system)
  bench.clock.set(before.notAfterTimeStamp - leadMs - 1)
  await look()
  expect(await shown(paths.system)).toEqual(before)
  bench.clock.advance(1)
  await look()
  const after = await shown(paths.system)
  expect(after).toMatchObject({ subjectDN: before.subjectDN, autoRenewal: true })
  expect(after.serialNumber).not.toBe(before.serialNumber)
  expect(after.notAfterTimeStamp - after.notBeforeTimeStamp).toBe(before.notAfterTimeStamp - before.notBeforeTimeStamp)
  expect(Math.abs(after.notAfterTimeStamp - (bench.clock.now() + validityInDays * dayMs))).toBeLessThan(2000)
})

/** What the interface shows to whoever connects. */
const shownByInterface = async (): Promise<X509Certificate> => {
  const socket = connect({ host: '127.0.0.1', port: bench.port, rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const certificate = socket.getPeerX509Certificate()
  socket.destroy()
  if (certificate === undefined) throw new Error('the interface shows no certificate')
  return certificate
}
/** Of the document: the client of the bench does not trust the interface any more, once its certificate is generated. */
const kept = (name: 'systemCertificate' | 'ppCaCertificate'): X509Certificate =>
  new X509Certificate(bench.editor.document.onPremises[name].current?.certificate ?? '')

it('CC-045 those of the interface, of the system and of the CA are renewed, others are not', async () => {
  const subjectAltNames = [
    { type: 'DNS', value: 'admin.acme.test' },
    { type: 'IP', value: '127.0.0.1' },
  ]
  await generate(paths.ca, { autoRenewal: true })
  await generate(paths.system, {})
  await generate(paths.ui, { autoRenewal: true, subjectAltNames })
  const before = [await shownByInterface(), kept('ppCaCertificate'), kept('systemCertificate')] as const
  bench.clock.advance(336 * dayMs)
  await look()
  const after = [await shownByInterface(), kept('ppCaCertificate'), kept('systemCertificate')] as const
  expect(after.map(({ serialNumber }, at) => serialNumber === before[at]?.serialNumber)).toEqual([false, false, true])
  expect([after[0].subject, after[0].subjectAltName]).toEqual([before[0].subject, before[0].subjectAltName])
  expect([after[1].subject, after[1].ca]).toEqual([before[1].subject, true])
  expect(bench.audited.at(-1)).toMatchObject({ category: 'PpcaCertificate', user: 'automatic renewal' })
})

it('CC-045 a renewal that fails is tried again at the next look', async () => {
  await generate(paths.system, { autoRenewal: true })
  const before = await shown(paths.system)
  bench.clock.advance(340 * dayMs)
  const { save } = bench.material
  bench.material.save = () => Promise.reject(new Error('the disk is full'))
  await look()
  expect(warned).toEqual(['the disk is full'])
  expect(await shown(paths.system)).toEqual(before)
  bench.material.save = save
  await look()
  expect((await shown(paths.system)).serialNumber).not.toBe(before.serialNumber)
})

it('of a shadow only that of its interface is renewed: the others come from the master', async () => {
  await generate(paths.system, { autoRenewal: true })
  await generate(paths.ui, { autoRenewal: true })
  const before = [await shownByInterface(), kept('systemCertificate')] as const
  await bench.editor.change('test', (document) => ({ ...document, connector: { ...document.connector, haRole: 'shadow' } }))
  bench.clock.advance(340 * dayMs)
  await look()
  expect(kept('systemCertificate').serialNumber).toBe(before[1].serialNumber)
  expect((await shownByInterface()).serialNumber).not.toBe(before[0].serialNumber)
})

it('CC-045 one job looks again and again, as long as nobody ends it', async () => {
  await generate(paths.system, { validityInDays: 1, autoRenewal: true })
  const first = await shown(paths.system)
  bench.clock.set(first.notAfterTimeStamp - 12 * hourMs - 1)
  const stop = begin(silentLogger)
  bench.clock.advance(0)
  await new Promise(setImmediate)
  expect(await shown(paths.system)).toEqual(first)
  bench.clock.advance(generatedRenewalCheckMs)
  await vi.waitFor(async () => expect((await shown(paths.system)).serialNumber).not.toBe(first.serialNumber))
  const second = await shown(paths.system)
  await new Promise(setImmediate)
  bench.clock.set(second.notAfterTimeStamp - 12 * hourMs)
  await vi.waitFor(async () => expect((await shown(paths.system)).serialNumber).not.toBe(second.serialNumber))
  await stop()
  const third = await shown(paths.system)
  bench.clock.set(third.notAfterTimeStamp)
  await new Promise(setImmediate)
  expect(await shown(paths.system)).toEqual(third)
})

it('CC-045 what somebody puts there while a new one is made stays, and is not told to be renewed', async () => {
  await generate(paths.system, { autoRenewal: true })
  bench.clock.advance(340 * dayMs)
  const { change } = bench.editor
  let uploaded: unknown
  Object.assign(bench.editor, {
    async change(...given: Parameters<typeof change>) {
      if (given[0] !== 'automatic renewal') return await change(...given)
      await generate(paths.system, { subjectDN: 'CN=of a person' })
      uploaded = await shown(paths.system)
      return await change(...given)
    },
  })
  const told: string[] = []
  const stop = begin({ ...silentLogger, info: (_fields, message) => void told.push(message) })
  bench.clock.advance(0)
  await stop()
  expect(uploaded).toMatchObject({ subjectDN: 'CN=of a person' })
  expect(await shown(paths.system)).toEqual(uploaded)
  expect(told).toEqual([])
})

it('CC-045 no other place is written when the role was given away meanwhile', async () => {
  await generate(paths.system, { autoRenewal: true })
  const before = await shown(paths.system)
  bench.clock.advance(340 * dayMs)
  const { change } = bench.editor
  Object.assign(bench.editor, {
    async change(...given: Parameters<typeof change>) {
      if (given[0] === 'automatic renewal')
        await change('switch', (document) => ({ ...document, connector: { ...document.connector, haRole: 'shadow' } }))
      return await change(...given)
    },
  })
  await look()
  expect(await shown(paths.system)).toEqual(before)
})

it('CC-045 a renewed one has a key of the same size, and the same names, whatever is in them', async () => {
  const subjectAltNames = [
    { type: 'DNS', value: 'a.test' },
    { type: 'URI', value: 'https://a.test/x,y?a="b"' },
    { type: 'RFC822', value: 'a@b.test' },
  ]
  await generate(paths.ui, { keySize: 4096, autoRenewal: true, subjectAltNames })
  const before = await shownByInterface()
  expect(describeCertificate({ certificate: before.toString() })['subjectAltNames']).toEqual(subjectAltNames)
  bench.clock.advance(336 * dayMs)
  await look()
  const after = await shownByInterface()
  expect(after.serialNumber).not.toBe(before.serialNumber)
  expect(describeCertificate({ certificate: after.toString() })['subjectAltNames']).toEqual(subjectAltNames)
  expect(after.publicKey.asymmetricKeyDetails?.modulusLength).toBe(4096)
})
