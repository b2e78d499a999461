import { createManualClock, createTestIssuer } from '@sallyport/test-fixtures'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type AdministrationBench, type BenchAnswer, startAdministrationBench } from './administration-bench.ts'
import { region, type SmallCloud, startSmallCloud } from './small-cloud.ts'

const demo = `/api/v1/configuration/subaccounts/${region}/demo`
const connector = '/api/v1/configuration/connector'
const simulation = `/api/private/v1/subaccounts/${region}/demo/simulation`
const issuer = createTestIssuer()
const token = issuer.user('jane@acme.test')

let cloud: SmallCloud
let bench: AdministrationBench
beforeEach(async () => {
  const clock = createManualClock(Date.now())
  cloud = await startSmallCloud({ clock })
  cloud.issuers.push({ issuer: issuer.issuer, name: 'Test', type: 'OAUTH2', keys: issuer.keys } as never)
  bench = await startAdministrationBench({ haRole: 'master', clock })
  await bench.call('POST', '/api/v1/configuration/subaccounts', { authenticationData: await cloud.authenticationData('demo') })
  await bench.call('POST', `${demo}/trust`)
  const mapping = { localHost: '127.0.0.1', localPort: '1', protocol: 'HTTPS', backendType: 'abapSys', authenticationMode: 'X509_GENERAL' }
  await bench.call('POST', `${demo}/systemMappings`, { virtualHost: 'erp', virtualPort: '443', ...mapping })
  await bench.call('POST', `${demo}/systemMappings/erp:443/resources`, { id: '/sap', enabled: true })
})
afterEach(async () => {
  await bench[Symbol.asyncDispose]()
  await cloud[Symbol.asyncDispose]()
})

const tryPrincipal = (body: unknown, as = 'sccdisplay'): Promise<BenchAnswer> => bench.call('POST', `${simulation}/principal`, body, { as })
const tryRequest = (body: object, as = 'sccdisplay'): Promise<BenchAnswer> =>
  bench.call('POST', `${simulation}/request`, { virtualHost: 'erp', virtualPort: 443, ...body }, { as })

it('whoever may read is told what a token would become: the rule that fires and the certificate, or what is missing', async () => {
  expect((await tryPrincipal({ token })).json()).toEqual({
    trusted: true,
    issuable: false,
    user: 'jane@acme.test',
    tokenIssuer: issuer.issuer,
    tokenExpiresTimeStamp: expect.any(Number),
    rule: { index: 0, condition: 'always true', subjectPattern: expect.objectContaining({ CN: '${name}' }) },
    problem: expect.stringContaining('no CA certificate'),
  })
  await bench.call('POST', `${connector}/onPremises/ppCaCertificate`, { type: 'selfsigned', subjectDN: 'CN=User CA', keySize: 2048 })
  const rule = { condition: { variable: 'user_type', operator: 'is', value: 'Technical' }, subjectPattern: { CN: 'robot', O: 'Acme' } }
  await bench.call('POST', `${connector}/onPremises/subjectPatternRules`, rule)
  expect((await tryPrincipal({ token })).json()).toMatchObject({
    issuable: true,
    rule: { index: 1 },
    certificate: { subjectDN: 'CN=jane@acme.test', issuer: 'CN=User CA' },
  })
  expect((await tryPrincipal({ token: issuer.technical(), kind: 'technical' })).json()).toMatchObject({
    rule: { index: 0, condition: 'user_type is Technical' },
    certificate: { subjectDN: 'CN=robot,O=Acme' },
  })
  expect((await tryPrincipal({ token: `${token}x` })).json()).toEqual({
    trusted: false,
    issuable: false,
    problem: expect.stringContaining('SSO token validation failed'),
  })
})

it('and what would become of a request: the mapping and the resource that decide, or the words of the refusal', async () => {
  expect((await tryRequest({ path: '/sap/bc' })).json()).toMatchObject({
    allowed: true,
    mapping: { virtual: 'erp:443', protocol: 'HTTPS' },
    resource: { id: '/sap', exactMatchOnly: false },
    principal: { use: 'nothing' },
  })
  expect((await tryRequest({ path: '/other' })).json()).toMatchObject({
    allowed: false,
    refusal: { status: 403, text: expect.stringContaining('Access denied to resource /other on system erp:443') },
    admitted: [{ id: '/sap' }],
  })
  expect((await tryRequest({ path: '/sap', token })).json()).toMatchObject({
    allowed: false,
    refusal: { status: 500, text: expect.stringContaining('Unable to generate authorization token for user jane@acme.test') },
    principal: { use: 'certificate', trusted: true, issuable: false },
  })
  expect((await tryRequest({ virtualPort: 'sapgw00' })).status).toBe(400)
})

it('nobody else is told, nothing of an unknown subaccount, and what was asked is audited without the token', async () => {
  expect((await tryPrincipal({ token }, 'nobody')).status).toBe(403)
  const refused = await bench.call('DELETE', `${demo}/systemMappings/erp:443`, undefined, { as: 'sccdisplay' })
  expect([refused.status, refused.json().message]).toEqual([
    403,
    expect.stringContaining('one of the roles sccadmin, sccassocadmin, sccsubadmin'),
  ])
  expect((await bench.call('POST', `${simulation.replace('/demo/', '/other/')}/principal`, { token })).status).toBe(404)
  expect((await tryPrincipal({ token: 'x'.repeat(20_000) })).status).toBe(400)
  await bench.expose({ regionHost: region, subaccount: 'unpaired' })
  expect((await bench.call('POST', `${simulation.replace('/demo/', '/unpaired/')}/principal`, { token })).status).toBe(409)
  await tryRequest({ path: '/sap', token })
  const entries = bench.audited.filter(({ type }) => type === 'access-simulated')
  expect(entries).toMatchObject([{ subaccount: 'demo', user: 'sccdisplay', message: expect.stringContaining('nothing was sent') }])
  expect(JSON.stringify(bench.audited)).not.toContain(token.split('.')[2])
})
