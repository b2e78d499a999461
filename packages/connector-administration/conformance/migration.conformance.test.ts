import {
  type ConnectorConfiguration,
  createMappingTable,
  decideHttpAccess,
  type MappingTable,
  parseConfiguration,
} from '@sallyport/cloud-connector'
import { expandSubject, selectSubjectRule } from '@sallyport/principal-propagation'
import { createTestCa } from '@sallyport/test-fixtures'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { renderConnectors } from '../src/document/administered-source.ts'
import { migratedFiles } from '../src/migration/migrated-files.ts'
import { migrateAnswers } from '../src/migration/migrate-answers.ts'
import { collectOriginalAnswers, type OriginalAnswers } from '../src/migration/original-answers.ts'
import { formatAnswers, readSavedAnswers } from '../src/migration/saved-answers.ts'
import { writeZip } from '../src/backup/zip-file.ts'
import { type AdministrationBench, startAdministrationBench } from './administration-bench.ts'

const key = { regionHost: 'cf.eu12.hana.ondemand.com', subaccount: 'b2f9cb12' }
const sub = `/api/v1/configuration/subaccounts/${key.regionHost}/${key.subaccount}`
const cfg = '/api/v1/configuration/connector'
const nowMs = 1_700_000_000_000

let bench: AdministrationBench
beforeEach(async () => {
  bench = await startAdministrationBench({ haRole: 'master' })
  await bench.expose(key)
})
afterEach(() => bench[Symbol.asyncDispose]())

/** As a migration asks: over HTTPS, with the roles of an administrator. */
const collect = (as = 'sccadmin'): Promise<OriginalAnswers> =>
  collectOriginalAnswers(async (path, accept) => {
    const { bytes, status } = await bench.call('GET', path, undefined, { as, headers: { accept } })
    return { status, body: bytes }
  })

async function ok(method: string, path: string, body?: unknown): Promise<void> {
  const answer = await bench.call(method, path, body)
  expect([path, answer.status, answer.body]).toEqual([path, expect.toBeOneOf([200, 201, 204]), expect.anything()])
}

const mapping = { localHost: 'backend.internal', localPort: '8000', backendType: 'abapSys', authenticationMode: 'NONE' }

async function furnish(): Promise<void> {
  await ok('PUT', cfg, { description: 'plant 7' })
  await ok('POST', `${sub}/systemMappings`, {
    ...mapping,
    virtualHost: 'erp',
    virtualPort: '443',
    protocol: 'HTTP',
    hostInHeader: 'internal',
  })
  await ok('POST', `${sub}/systemMappings/erp:443/resources`, { id: '/sap/a-b+c', enabled: true })
  await ok('POST', `${sub}/systemMappings/erp:443/resources`, {
    id: '/sap/odata/x',
    enabled: true,
    exactMatchOnly: true,
    description: 'orders',
  })
  await ok('POST', `${sub}/systemMappings/erp:443/resources`, { id: '/sap/off' })
  await ok('POST', `${sub}/systemMappings`, {
    ...mapping,
    virtualHost: 'gateway',
    virtualPort: 'sapgw01',
    localPort: 'sapgw00',
    protocol: 'RFC',
    allowedClients: ['100'],
    blacklistedUsers: [{ client: '100', user: 'SAP*' }],
  })
  await ok('POST', `${sub}/systemMappings/gateway:sapgw01/resources`, { id: 'Z_ORDERS', enabled: true })
  await ok('POST', `${sub}/systemMappings`, {
    ...mapping,
    virtualHost: 'db',
    virtualPort: '5000-5009',
    localPort: '6000-6009',
    protocol: 'TCP',
  })
  await ok('POST', `${sub}/domainMappings`, { virtualDomain: 'virtual.example', internalDomain: 'internal.example' })
  await ok('POST', `${sub}/channels/ABAPCloud`, { abapCloudTenantHost: 'tenant.abap.example', instanceNumber: '20', connections: '1' })
  await ok('PUT', `${cfg}/onPremises/ppSettings`, { expirationToleranceInHr: 5, certificateValidityInMin: 30 })
  const pattern = { CN: '${email}', EMAIL: '', L: '', OU: '', O: 'Acme', ST: '', C: '' }
  const condition = { variable: 'user_type', operator: 'is', value: 'Business' }
  await ok('POST', `${cfg}/onPremises/subjectPatternRules`, { description: 'people', condition, subjectPattern: pattern })
  await ok('POST', `${cfg}/onPremises/systemCertificate`, { type: 'selfsigned', keySize: 2048, subjectDN: 'CN=connector' })
  const trusted = await bench.upload('POST', `${cfg}/onPremises/truststore/certificates`, [
    ['certificates', Buffer.from(createTestCa().certificate)],
  ])
  expect(trusted.status).toBe(201)
}

describe('a migration from a running connector', () => {
  it('takes everything that the documented API tells, and lists what it does not', async () => {
    await furnish()
    const { document, report } = migrateAnswers(await collect(), { nowMs })
    const before = bench.editor.document
    // Without the members that are there and undefined.
    expect(JSON.parse(JSON.stringify(document.subaccounts[0]))).toMatchObject({
      ...key,
      systemMappings: JSON.parse(JSON.stringify(before.subaccounts[0]?.systemMappings)) as object,
      domainMappings: before.subaccounts[0]?.domainMappings,
      channels: [{ type: 'ABAPCloud', abapCloudTenantHost: 'tenant.abap.example', instanceNumber: 20 }],
    })
    expect(document.connector.description).toBe('plant 7')
    expect(document.onPremises).toMatchObject({
      expirationToleranceInHr: 5,
      certificateValidityInMin: 30,
      subjectPatternRules: [{ description: 'people', condition: { variable: 'user_type', operator: 'is', value: 'Business' } }, {}],
    })
    expect(document.onPremises.trustedBackends).toHaveLength(1)
    expect(report.taken).toEqual({
      subaccounts: 1,
      systemMappings: 3,
      resources: 4,
      domainMappings: 1,
      channels: 1,
      trustedCertificates: 1,
      subjectPatternRules: 2,
    })
    expect(report.leftOut).toEqual([])
    expect(report.byHand.map(({ what }) => what)).toEqual(
      expect.arrayContaining([
        `subaccount ${key.subaccount}`,
        'system certificate CN=connector',
        'what the API of the original does not tell',
      ]),
    )
  })

  it('decides every request as before, from the file that it writes and from the saved answers alike', async () => {
    await furnish()
    const answers = await collect()
    const { configuration, files } = migratedFiles(migrateAnswers(answers, { nowMs }), answers, nowMs)
    const saved = readSavedAnswers(new Map([['answers.json', Buffer.from(files['answers.json'] ?? '')]])).answers
    const again = migratedFiles(migrateAnswers(saved, { nowMs }), saved, nowMs)
    expect(again).toEqual({ configuration, files: expect.anything() })
    const tables = [tableOf(renderConnectors(bench.editor.document)), tableOf(configuration)] as const
    const hosts = fc.constantFrom('erp', 'gateway', 'db', 'other')
    const paths = fc.oneof(
      fc.constantFrom('/sap/a-b+c', '/sap/odata/x', '/sap/off', '/sap/odata/x/y', '/sap/a-b+c/../off', '/sap/a%2Db+c'),
      fc.string().map((text) => `/sap/${text}`),
    )
    let allowed = 0
    fc.assert(
      fc.property(
        hosts,
        fc.constantFrom(80, 443, 3301, 5005),
        paths,
        fc.constantFrom(undefined, 'websocket'),
        (host, port, path, upgrade) => {
          const [before, after] = tables.map((table) => decideHttpAccess(table, { host, port }, path, upgrade))
          expect([after?.allowed, after?.mapping?.internalText]).toEqual([before?.allowed, before?.mapping?.internalText])
          if (after?.allowed === true) allowed++
        },
      ),
      { numRuns: 1_000 },
    )
    expect(allowed).toBeGreaterThan(0)
  })

  it('gives archives that another administered connector imports', async () => {
    await furnish()
    const answers = await collect()
    const { files } = migratedFiles(migrateAnswers(answers, { nowMs }), answers, nowMs)
    const [, archive] = Object.entries(files).find(([name]) => name.endsWith('.zip')) ?? []
    await using other = await startAdministrationBench({ haRole: 'master' })
    await other.expose(key)
    const path = `/api/private/v1/subaccounts/${key.regionHost}/${key.subaccount}`
    expect((await other.upload('POST', `${path}/configuration`, [['archive', Buffer.from(archive ?? '')]])).status).toBe(204)
    expect(other.editor.document.subaccounts[0]?.systemMappings).toEqual(bench.editor.document.subaccounts[0]?.systemMappings)
    expect((await other.upload('POST', `${path}/accessControl`, [['archive', Buffer.from(archive ?? '')]])).status).toBe(204)
  })

  it('ends when the user is refused, instead of taking half', async () => {
    const refusing = collectOriginalAnswers(async () => ({ status: 403, body: Buffer.from('{}') }))
    await expect(refusing).rejects.toMatchObject({ code: 'ACCESS_DENIED' })
    const page = collectOriginalAnswers(async () => ({ status: 200, body: Buffer.from('<html>password=x') }))
    await expect(page).rejects.toMatchObject({ code: 'MESSAGE_INVALID', message: expect.not.stringContaining('password') })
  })
})

describe('answers with the quirks of an original', () => {
  const at = (path: string): string => `export/api/v1/configuration/${path}.json`
  const files = (contents: Readonly<Record<string, unknown>>): ReadonlyMap<string, Buffer> =>
    new Map(
      Object.entries(contents).map(([name, content]) => [
        name,
        Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)),
      ]),
    )
  const below = `subaccounts/${key.regionHost}/${key.subaccount}`
  const subaccounts = {
    [at('subaccounts')]: [{ _links: {}, ...key, locationID: 'plant' }],
    [at(below)]: { ...key, locationID: 'plant', isManaged: 'false' },
  }
  const erp = {
    ...mapping,
    virtualHost: 'erp',
    virtualPort: 443,
    protocol: 'HTTP',
    creationDate: '1690000000000',
    totalResourcesCount: 1,
    _links: {},
  }
  const migrated = (contents: Readonly<Record<string, unknown>>, owner?: typeof key) => {
    const saved = readSavedAnswers(files(contents), owner)
    return migrateAnswers(saved.answers, { nowMs, unread: saved.unread })
  }

  it('are understood: texts for numbers and truth values, old spellings, members in any case', () => {
    const { document, report } = migrated({
      ...subaccounts,
      [at(`${below}/systemMappings`)]: [{ ...erp, hostInHeader: 'internal', allowedClients: null, description: '' }],
      [at(`${below}/systemMappings/erp%3A443/resources`)]: [
        { id: '/', enabled: 'true', exactMatchOnly: 'false', creationDate: '1690000000001', _links: {} },
      ],
      [at('connector/onPremise/ppSettings')]: { expirationToleranceInHr: '3', certificateValidityInMin: 10 },
      'export/readme.txt': 'hello',
    })
    expect(document.subaccounts[0]).toMatchObject({
      locationId: 'plant',
      isManaged: false,
      systemMappings: [
        { virtualPort: '443', hostInHeader: 'INTERNAL', creationDateMs: 1_690_000_000_000, resources: [{ id: '/', enabled: true }] },
      ],
    })
    expect(document.onPremises.expirationToleranceInHr).toBe(3)
    expect(report).toMatchObject({ leftOut: [], unread: ['export/readme.txt'] })
  })

  it.each<[string, object, RegExp]>([
    ['a principal type that is none any more', { authenticationMode: 'X509_CERTIFICATE' }, /authenticationMode/],
    ['a protocol that is unknown', { protocol: 'GOPHER' }, /protocol/],
    ['a port out of range', { localPort: '99999' }, /port/],
    ['a host that is none', { virtualHost: 'a b' }, /virtual/],
  ])('are left out, with the reason, when they have %s', (_what, wrong, reason) => {
    const { document, report } = migrated({
      ...subaccounts,
      [at(`${below}/systemMappings`)]: [
        { ...erp, ...wrong },
        { ...erp, virtualHost: 'good' },
      ],
    })
    expect(document.subaccounts[0]?.systemMappings.map(({ virtualHost }) => virtualHost)).toEqual(['good'])
    expect(report.leftOut).toEqual([{ what: expect.stringContaining('mapping'), note: expect.stringMatching(reason) }])
  })

  const business = { condition: 'user_type is Business', subjectPattern: { CN: '${email}' } }
  const groups = { condition: 'groups is x', subjectPattern: { CN: '${user_uuid}' } }
  const usual = { condition: 'always true', subjectPattern: { CN: '${name}' } }
  const unreadable = { condition: 'groups contain x', subjectPattern: { CN: '${name}' } }
  it.each<[string, readonly unknown[], readonly string[]]>([
    ['in the middle', [business, unreadable, groups, usual], ['${email}']],
    ['at the beginning', [unreadable, business, usual], []],
    ['at the end', [business, groups, { condition: 'always true', subjectPattern: { CN: '${' } }], ['${email}', '${user_uuid}']],
    ['missing at the end', [business, groups], ['${email}', '${user_uuid}']],
    ['the only one', [null], []],
  ])('make nobody another subject when a rule that cannot be taken is %s', (_where, given, kept) => {
    const { document, report } = migrated({ ...subaccounts, [at('connector/onPremises/subjectPatternRules')]: given })
    const rules = document.onPremises.subjectPatternRules
    expect(rules.map(({ pattern }) => pattern.CN).slice(0, -1)).toEqual(kept)
    expect(report.taken.subjectPatternRules).toBe(kept.length)
    expect(report.byHand.find(({ what }) => what === 'subject pattern rules')?.note).toContain(`from number ${kept.length} on`)
    expect(connectorOf(renderConnectors(document))?.entry.principalPropagation.rules).toHaveLength(kept.length + 1)
    const claims = { user_name: 'jane', email: 'jane@acme.test', user_uuid: 'u', groups: ['y'] }
    // A technical principal, whom the first of the rules does not apply to.
    const selected = selectSubjectRule(rules, { kind: 'technical', claims })
    expect(selected?.index).toBe(kept.length)
    const pattern = selected?.rule.pattern ?? { CN: 'x' }
    expect(expandSubject(pattern, (variable) => (variable in claims ? 'x' : undefined)).expanded).toBe(false)
  })

  it('are kept without the password of the mail server', () => {
    const answers = new Map([['/api/v1/configuration/connector/alerting/email', { smtpUsername: 'u', smtpPassword: 'very secret' }]])
    expect(formatAnswers(answers)).toContain('smtpUsername')
    expect(formatAnswers(answers)).not.toContain('very secret')
  })

  it('lose a resource that admits nothing, and nothing else of its mapping', () => {
    const resources = [{ id: '/a', enabled: true }, { id: 'no slash', enabled: true }, { id: '/a', enabled: true }, { enabled: true }]
    const { document, report } = migrated({ 'mappings.json': [{ ...erp, resources }] }, key)
    expect(document.subaccounts[0]?.systemMappings[0]?.resources.map(({ id }) => id)).toEqual(['/a'])
    expect(report.leftOut).toHaveLength(3)
  })

  it('do not make an issuer trusted that was not', () => {
    const trust = { [at(`${below}/trust`)]: { autoSyncTrustEnabled: true } }
    expect(migrated({ ...subaccounts, ...trust }).document.subaccounts[0]?.trust.automatic).toBe(true)
    const distrusted = { [at(`${below}/trust/idps`)]: [{ id: 1, name: 'old IdP', enabled: false }] }
    const { document, report } = migrated({ ...subaccounts, ...trust, ...distrusted })
    expect(document.subaccounts[0]?.trust.automatic).toBe(false)
    expect(report.byHand.map(({ what }) => what)).toContain(`subaccount ${key.subaccount}, token issuer old IdP`)
  })

  it('come out of archives; what is in a backup of the original is named, not guessed', () => {
    const archive = writeZip(
      { 'x/mappings.json': JSON.stringify([{ ...erp, resources: [] }]), '../../etc/passwd': 'root', 'scc_config/scc_config.ini': 'x' },
      nowMs,
    )
    const saved = readSavedAnswers(new Map([['export.zip', archive]]), key)
    expect(saved.unread).toEqual(['export.zip!../../etc/passwd', 'export.zip!scc_config/scc_config.ini'])
    expect(() => readSavedAnswers(new Map([['backup.zip', writeZip({ 'scc_config.ini': 'x' }, nowMs)]]))).toThrow(
      'none of the files can be read',
    )
    expect(() => readSavedAnswers(new Map([['export.zip', archive]]))).toThrow('does not say of which subaccount')
    const bomb = writeZip({ 'big.json': Buffer.alloc(140_000_000) }, nowMs)
    expect(() => readSavedAnswers(new Map([['bomb.zip', bomb]]))).toThrow('bomb.zip')
  })

  it('whatever is saved, it is migrated or refused with a code', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('virtualHost', 'virtualPort', 'protocol', 'resources', 'localHost', 'x'), fc.jsonValue()),
        (odd) => {
          const { document } = migrated({
            ...subaccounts,
            [at(`${below}/systemMappings`)]: [{ ...erp, ...odd }],
            [at(`${below}/domainMappings`)]: [odd],
          })
          expect(document.subaccounts).toHaveLength(1)
        },
      ),
      { numRuns: 300 },
    )
  })
})

function connectorOf(value: unknown): ConnectorConfiguration | undefined {
  const configuration = JSON.parse(
    JSON.stringify(value, (name, member: unknown) => (name === 'connectorAdmin' ? undefined : member)),
  ) as unknown
  return parseConfiguration({ text: JSON.stringify(configuration), fileName: 'test' }).connectors[0]
}

function tableOf(value: unknown): MappingTable {
  return createMappingTable(connectorOf(value)?.mappings ?? [])
}
