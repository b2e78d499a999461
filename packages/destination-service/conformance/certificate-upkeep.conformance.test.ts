import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import type { AuditEntry } from '@sallyport/core'
import { type KeystoreEntry, readKeystore } from '@sallyport/keystore'
import { createTestCa } from '@sallyport/test-fixtures'
import { createCertificationRequest, createSelfSignedCertificate, formatPem, parseName } from '@sallyport/x509'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDataKeys, createSealer, openDatabase } from '@sallyport/store'
import { createConnectionChecker, createSqlKeyRepositories, type DestinationTables, type ExpiryEvent } from '../src/index.ts'
import { expiryNoticeLeaseMs } from '../src/limits.ts'
import { type Answered, clientId, instanceId, providerSubaccount, type RunningService, startService } from './running-service.ts'

const collection = '/v1/subaccountCertificates'
const hour = 3_600_000
const day = 24 * hour
const keys = generateKeyPairSync('rsa', { modulusLength: 2048 })
const CSR = Buffer.from(
  formatPem('CERTIFICATE REQUEST', createCertificationRequest(parseName('CN=x'), keys.privateKey, keys.publicKey)),
).toString('base64')

let running: RunningService
let audited: AuditEntry[]
let events: ExpiryEvent[]
let notifierFails: boolean

beforeEach(async () => {
  audited = []
  events = []
  notifierFails = false
  running = await startService({
    connections: createConnectionChecker({ privateAddresses: 'refuse' }),
    audit: { failing: false, write: (entry) => void audited.push(entry), flushed: () => Promise.resolve() },
    notifier: {
      notify: async (event) => {
        if (notifierFails) throw new Error('nobody listens')
        events.push(event)
      },
    },
  })
})
afterEach(() => running.close())

const get = (name: string): Promise<Answered> => running.call('GET', `${collection}/${name}`)
const leafOf = (answer: Answered): X509Certificate =>
  new X509Certificate(Buffer.from((answer.json as { readonly Content: string }).Content, 'base64').toString())

async function generate(name: string, attributes: object): Promise<void> {
  const answer = await running.call('POST', collection, { body: { Name: name, Attributes: attributes } })
  expect(answer).toMatchObject({ status: 201 })
}

/** A certificate that somebody has made elsewhere, as PEM in Base64. */
function foreign(notAfterMs: number): string {
  const certificate = createSelfSignedCertificate(
    { subject: parseName('CN=foreign'), publicKey: keys.publicKey, notBefore: new Date(0), notAfter: new Date(notAfterMs), extensions: {} },
    keys.privateKey,
  )
  return Buffer.from(formatPem('CERTIFICATE', certificate)).toString('base64')
}

describe('renewal', () => {
  const thresholds: readonly (readonly [string, number, number])[] = [
    ['DAYS', 1, 12 * hour],
    ['DAYS', 2, day],
    ['DAYS', 14, day],
    ['DAYS', 15, 3 * day],
    ['DAYS', 31, 3 * day],
    ['MONTHS', 1, 3 * day],
    ['DAYS', 32, 7 * day],
    ['DAYS', 154, 7 * day],
    ['MONTHS', 2, 7 * day],
    ['MONTHS', 5, 7 * day],
    ['DAYS', 155, 30 * day],
    ['DAYS', 365, 30 * day],
    ['MONTHS', 6, 30 * day],
    ['MONTHS', 12, 30 * day],
    ['YEARS', 1, 30 * day],
    ['YEARS', 3, 30 * day],
  ]

  it.each(thresholds)(
    'DS-116 of %s %i begins in time, keeps subject and validity, and shows in the ETag',
    async (TimeUnit, Value, leadMs) => {
      // With a request no keys have to be made.
      await generate('r.pem', { CN: 'r', Validity: { TimeUnit, Value }, AutomaticRenew: true, CSR })
      const first = await get('r.pem')
      const leaf = leafOf(first)
      running.clock.set(leaf.validToDate.getTime() - leadMs - 1)
      expect(await running.service.maintainCertificates()).toMatchObject({ renewed: 0, failed: 0 })
      expect((await get('r.pem')).headers.get('etag')).toBe(first.headers.get('etag'))

      running.clock.advance(1)
      expect(await running.service.maintainCertificates()).toMatchObject({ renewed: 1, failed: 0 })
      const second = await get('r.pem')
      const renewed = leafOf(second)
      expect(second.headers.get('etag')).not.toBe(first.headers.get('etag'))
      expect(renewed.subject).toBe(leaf.subject)
      expect(renewed.publicKey.equals(leaf.publicKey)).toBe(true)
      expect(renewed.validFromDate.getTime()).toBe(running.clock.now() - hour)
      expect(daysOrMonths(running.clock.now(), renewed.validToDate, TimeUnit)).toBe(Value)
      expect(audited.at(-1)).toMatchObject({
        type: 'configuration-changed',
        category: 'Certificate',
        user: 'automatic renewal',
        subaccount: providerSubaccount,
      })
      expect(await running.service.maintainCertificates()).toMatchObject({ renewed: 0 })
    },
  )

  it('makes a new key, keeps password, alias, labels and owner, and is done by the service itself every hour', async () => {
    const path = '/v1/instanceCertificates'
    const body = { Name: 'r.p12', Attributes: { Validity: { TimeUnit: 'DAYS', Value: 1 }, AutomaticRenew: 'true', Password: 'secret1' } }
    expect((await running.call('POST', path, { body })).status).toBe(201)
    await running.call('PUT', `${path}/r.p12/labels`, { body: [{ key: 'team', values: ['a'] }] })
    const open = async (): Promise<KeystoreEntry | undefined> => {
      const { Content } = (await running.call('GET', `${path}/r.p12`)).json as { readonly Content: string }
      return (await readKeystore({ name: 'r.p12', content: Buffer.from(Content, 'base64'), password: 'secret1' })).entries[0]
    }
    const before = await open()
    running.clock.advance(13 * hour)
    // The look at all certificates that the advance has begun; calls at the same time share it.
    await running.service.maintainCertificates()
    const after = await open()
    expect(after?.alias).toBe('r.p12')
    expect(after?.privateKey).not.toBe(before?.privateKey)
    expect(after?.certificates[0]).not.toBe(before?.certificates[0])
    expect(after?.certificates.slice(1)).toEqual(before?.certificates.slice(1))
    expect((await running.call('GET', `${path}/r.p12/labels`)).json).toEqual([{ key: 'team', values: ['a'] }])
    expect(running.logged.filter((line) => line.includes('certificate renewed'))).toHaveLength(1)
    expect(audited.at(-1)?.message).toBe(`certificate r.p12 renewed on instance ${instanceId}`)
  })

  it('leaves alone what its owner has written meanwhile', async () => {
    await running.close()
    let interfere = async (): Promise<void> => {}
    running = await startService({
      wrapRepository: (repository) => ({
        ...repository,
        replace: async (...args) => {
          if (args[3].unchangedSinceMs !== undefined) await interfere()
          return repository.replace(...args)
        },
      }),
    })
    await generate('r.pem', { Validity: { TimeUnit: 'DAYS', Value: 1 }, AutomaticRenew: true, CSR })
    running.clock.advance(13 * hour)
    const Content = foreign(running.clock.now() + 400 * day)
    interfere = async () => {
      expect((await running.call('PUT', collection, { body: { Name: 'r.pem', Content } })).status).toBe(200)
    }
    await running.service.maintainCertificates()
    expect((await get('r.pem')).json).toMatchObject({ Content })
    expect(running.logged.join('\n')).not.toContain('certificate renewed')
  })

  it('tries again what has failed, and goes on with the others', async () => {
    await running.close()
    let failing = true
    running = await startService({
      wrapRepository: (repository) => ({
        ...repository,
        replace: async (kind, level, writes, options) => {
          if (failing && writes[0]?.name === 'a.pem') throw new Error('the disk is full')
          return repository.replace(kind, level, writes, options)
        },
      }),
    })
    for (const name of ['a.pem', 'b.pem']) await generate(name, { Validity: { TimeUnit: 'DAYS', Value: 1 }, AutomaticRenew: true, CSR })
    running.clock.advance(13 * hour)
    expect(await running.service.maintainCertificates()).toEqual({ renewed: 1, notified: 0, failed: 1 })
    failing = false
    running.clock.advance(hour)
    expect(await running.service.maintainCertificates()).toEqual({ renewed: 1, notified: 0, failed: 0 })
    expect(leafOf(await get('a.pem')).validToDate.getTime()).toBe(running.clock.now() + day)
  })
})

describe('renewing before the time', () => {
  const renew = (name: string): Promise<Answered> =>
    running.administer('POST', `/subaccount/certificates/${name}/renew`, { token: running.token() })

  it('makes another certificate with the attributes of the first, under its name, and keeps labels', async () => {
    await generate('r.pem', { CN: 'kept', Validity: { TimeUnit: 'DAYS', Value: 30 }, CSR })
    await running.call('PUT', `${collection}/r.pem/labels`, { body: [{ key: 'team', values: ['a'] }] })
    const before = leafOf(await get('r.pem'))
    running.clock.advance(10 * day)
    expect(await renew('r.pem')).toMatchObject({ status: 200, json: { Count: 1 } })
    const after = leafOf(await get('r.pem'))
    expect(after.subject).toBe(before.subject)
    expect(after.serialNumber).not.toBe(before.serialNumber)
    expect(after.validToDate.getTime()).toBe(before.validToDate.getTime() + 10 * day)
    expect((await running.call('GET', `${collection}/r.pem/labels`)).json).toEqual([{ key: 'team', values: ['a'] }])
    expect(audited.at(-1)).toMatchObject({ category: 'Certificate', user: clientId, message: 'certificate r.pem renewed' })
  })

  it('is refused for what was uploaded and for what there is not', async () => {
    await running.call('POST', collection, { body: { Name: 'u.pem', Content: foreign(running.clock.now() + day) } })
    const before = (await get('u.pem')).text
    expect(await renew('u.pem')).toMatchObject({ status: 422, json: { ErrorMessage: expect.stringContaining('was uploaded') } })
    expect((await get('u.pem')).text).toBe(before)
    expect((await renew('none.pem')).status).toBe(404)
  })
})

describe('certificates that nobody renews', () => {
  it('DS-117 stay as they are, and are told of 14, 7 and 3 days before, once each', async () => {
    const end = running.clock.now() + 40 * day
    const ca = createTestCa()
    await generate('generated.pem', { Validity: { TimeUnit: 'DAYS', Value: 40 }, CSR })
    await running.call('POST', collection, { body: { Name: 'uploaded.pem', Content: foreign(end) } })
    await running.call('POST', '/v1/instanceCertificates', { body: { Name: 'shared.crt', Content: foreign(end) } })
    await running.call('POST', collection, { body: { Name: 'long.pem', Content: foreign(end + 400 * day) } })
    await running.call('POST', collection, { body: { Name: 'ended.pem', Content: Buffer.from(ca.certificate).toString('base64') } })
    const names = ['generated.pem', 'uploaded.pem']
    const before = await Promise.all(names.map(async (name) => (await get(name)).text))

    const told: number[] = []
    for (let left = 40; left > -2; left -= 0.5) {
      running.clock.set(end - left * day)
      await running.service.maintainCertificates()
      if (events.length > 3 * told.length) told.push(left)
    }
    expect(told).toEqual([14, 7, 3])
    expect(events).toHaveLength(9)
    for (const daysBefore of ['14', '7', '3']) {
      const ofThese = events.filter((event) => event.tags.daysBefore === daysBefore)
      expect(ofThese.map((event) => event.resource.name).toSorted()).toEqual(['generated.pem', 'shared.crt', 'uploaded.pem'])
    }
    expect(events.find((event) => event.resource.name === 'shared.crt')).toEqual({
      eventType: 'DestinationCertificateExpiring',
      severity: 'WARNING',
      subject: 'The certificate shared.crt expires in 14 days or less',
      body: expect.stringContaining(
        `instance ${instanceId} in subaccount ${providerSubaccount} expires at ${new Date(end).toISOString()}`,
      ) as string,
      resource: { name: 'shared.crt', type: 'destination-certificate' },
      tags: { subaccountId: providerSubaccount, instanceId, expiresAt: new Date(end).toISOString(), daysBefore: '14' },
    })
    expect(audited.filter((entry) => entry.type === 'certificate-expiring')).toHaveLength(9)
    expect(await Promise.all(names.map(async (name) => (await get(name)).text))).toEqual(before)
  })

  it('are told of again when the notice did not get through, and after they were replaced', async () => {
    await running.call('POST', collection, { body: { Name: 'u.pem', Content: foreign(running.clock.now() + 5 * day) } })
    notifierFails = true
    expect(await running.service.maintainCertificates()).toMatchObject({ notified: 0, failed: 1 })
    notifierFails = false
    expect(await running.service.maintainCertificates()).toMatchObject({ notified: 1, failed: 0 })
    expect(await running.service.maintainCertificates()).toMatchObject({ notified: 0, failed: 0 })
    await running.call('PUT', collection, { body: { Name: 'u.pem', Content: foreign(running.clock.now() + 6 * day) } })
    expect(await running.service.maintainCertificates()).toMatchObject({ notified: 1, failed: 0 })
    expect(events.map((event) => event.tags.daysBefore)).toEqual(['7', '7'])
  })

  it('are told of by another process when the one that was about to has died', async () => {
    const expiresAtMs = running.clock.now() + 5 * day
    await running.call('POST', collection, { body: { Name: 'u.pem', Content: foreign(expiresAtMs) } })
    const db = openDatabase<DestinationTables>(running.file)
    const [master, nowMs] = [createSealer({ current: Buffer.alloc(32) }), running.clock.now()]
    const { notices } = createSqlKeyRepositories({ db, master, sealers: createDataKeys({ db, master, clock: running.clock }) })
    const level = { subaccountId: providerSubaccount, instanceId: null }
    expect(await notices.claim({ level, name: 'u.pem', expiresAtMs, days: 7 }, { nowMs, leaseMs: expiryNoticeLeaseMs })).toBe(true)
    await db.destroy()
    expect(await running.service.maintainCertificates()).toMatchObject({ notified: 0 })
    running.clock.advance(expiryNoticeLeaseMs)
    expect(await running.service.maintainCertificates()).toMatchObject({ notified: 1 })
    running.clock.advance(expiryNoticeLeaseMs)
    expect(await running.service.maintainCertificates()).toMatchObject({ notified: 0 })
    expect(events).toHaveLength(1)
  })
})

/** The length of a validity that began now, in its unit. */
function daysOrMonths(nowMs: number, end: Date, unit: string): number {
  if (unit === 'DAYS') return (end.getTime() - Math.floor(nowMs / 1_000) * 1_000) / day
  const now = new Date(nowMs)
  const months = (end.getUTCFullYear() - now.getUTCFullYear()) * 12 + end.getUTCMonth() - now.getUTCMonth()
  return unit === 'MONTHS' ? months : months / 12
}
