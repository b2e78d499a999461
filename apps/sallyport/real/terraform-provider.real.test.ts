import { createPrivateKey } from 'node:crypto'
import { join } from 'node:path'
import { writePkcs12 } from '@sallyport/keystore'
import { freePort } from '@sallyport/real-backends'
import { createTestCa } from '@sallyport/test-fixtures'
import { formatPem, issueCertificate, parseCertificationRequest, parsePemCertificates } from '@sallyport/x509'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTerraform, skipWithoutProvider, type Terraform } from './terraform.ts'
import { startTerraformWorld, type TerraformWorld } from './terraform-world.ts'

const skipped = skipWithoutProvider()
const region = 'cf.self.example'
const cfg = '/api/v1/configuration/connector'
// The provider takes nothing but UUIDs.
const acme = '5f0c1d3a-0000-4000-8000-00000000000a'
const other = '5f0c1d3a-0000-4000-8000-00000000000b'
/** As in subaccount.tf. */
const service = { cluster: 'cluster.example', id: '1f2e3d4c-0000-4000-8000-000000000001' }
const jane = { name: 'jane', password: 'pw' }
const patienceMs = 180_000

let world: TerraformWorld
beforeAll(async () => {
  if (skipped) return
  world = await startTerraformWorld({ regionHosts: [region], subaccounts: [{ id: acme }, { id: other }], cloudUser: jane, service })
}, 90_000)
afterAll(() => world?.[Symbol.asyncDispose]())

const file = (configuration: string): string => join(import.meta.dirname, 'terraform', configuration)

/** `pageIsReplaced`: then its certificate cannot be the one that the provider trusts. */
function open(configuration: string, { pageIsReplaced = false } = {}): Terraform {
  return openTerraform(file(configuration), {
    SCC_INSTANCE_URL: world.url,
    SCC_USERNAME: world.user,
    SCC_PASSWORD: world.password,
    ...(pageIsReplaced ? { SCC_SKIP_SSL_VALIDATION: 'true' } : { SCC_CA_CERTIFICATE: world.authority }),
  })
}

/** As in subaccount.tf. */
const moreMappings = [
  ['directory', '636'],
  ['database', '5432'],
  ['secure_functions', 'sapgw06s'],
  ['web_functions', '44300'],
] as const

/**
 * Makes everything, changes everything, and finds after each that there is nothing left to do. The provider promises that serial number and validity stay
 * when it changes a certificate, which none can, so those are made anew (`replaced`).
 */
async function makeAndChange(
  terraform: Terraform,
  variables: Readonly<Record<string, unknown>>,
  replaced: readonly string[] = [],
): Promise<void> {
  for (const changed of [false, true]) {
    await terraform.apply({ ...variables, changed }, { replace: changed ? replaced : [] })
    expect(await terraform.plan({ ...variables, changed })).toEqual([])
  }
}

const get = async (path: string): Promise<any> => (await world.call('GET', path)).body
const statusOf = async (path: string): Promise<number> => (await world.call('GET', path)).status

describe.skipIf(skipped)("SAP's Terraform provider", () => {
  it(
    'makes, reads, changes, imports and destroys subject patterns',
    async () => {
      await using terraform = open('subject-rules.tf')
      const planAfterApply = async (): Promise<unknown> => {
        await terraform.apply({})
        return await terraform.plan({})
      }
      expect(await planAfterApply()).toEqual([])
      terraform.rewrite(file('subject-rules-changed.tf'))
      expect(await planAfterApply()).toEqual([])
      const values = await terraform.values()
      expect(values.get('data.scc_subject_pattern_rule.seen')).toMatchObject({
        description: 'Technical users, second version',
        condition: { variable: 'user_type', operator: 'is_not', value: 'Business' },
        subject_pattern: { cn: '${name}', ou: 'Machines', o: 'Example', c: 'DE' },
      })
      expect(values.get('data.scc_subject_pattern_rules.seen')?.['subject_pattern_rules']).toHaveLength(3)
      const indexOf = (address: string): string => String(values.get(address)?.['index'])
      const [technical, withMail] = ['scc_subject_pattern_rule.technical', 'scc_subject_pattern_rule.with_mail']
      expect(await terraform.importAgain({ [technical]: indexOf(technical), [withMail]: indexOf(withMail) }, {})).toEqual([])
      expect(await terraform.plan({})).toEqual([])
      await terraform.destroy({})
      expect(await get(`${cfg}/onPremises/subjectPatternRules`)).toMatchObject([{ condition: 'always true' }])
    },
    patienceMs,
  )

  it(
    'makes, reads, changes, imports and destroys subaccounts with everything in them',
    async () => {
      const variables = {
        region,
        subaccount: acme,
        cloud_user: jane.name,
        cloud_password: jane.password,
        authentication_data: await world.authenticationData(other),
        kubernetes_port: await freePort(),
        changed: true,
      }
      await using terraform = open('subaccount.tf')
      await makeAndChange(terraform, variables)
      const values = await terraform.values()
      expect(values.get('data.scc_subaccount_configuration.seen')).toMatchObject({
        display_name: 'Acme, changed',
        description: 'later',
        tunnel: { state: 'Connected', user: 'jane' },
      })
      expect(values.get('data.scc_subaccounts.seen')?.['subaccounts']).toHaveLength(2)
      expect(values.get('data.scc_system_mappings.seen')?.['system_mappings']).toHaveLength(2 + moreMappings.length)
      expect(values.get('data.scc_system_mapping.seen')).toMatchObject({
        allowed_clients: ['100', '200'],
        blacklisted_users: [{ client: '100', user: 'SAP*' }],
        sap_router: '/H/router.internal/S/3299',
      })
      expect(values.get('data.scc_system_mapping_resources.seen')?.['system_mapping_resources']).toMatchObject([
        { url_path: '/orders/open' },
      ])
      expect(values.get('data.scc_system_mapping_resource.seen')).toMatchObject({ enabled: false, path_only: true })
      expect(values.get('data.scc_domain_mappings.seen')?.['domain_mappings']).toHaveLength(1)
      expect(values.get('data.scc_domain_mapping.seen')).toMatchObject({ virtual_domain: 'elsewhere.example' })
      expect(values.get('data.scc_subaccount_k8s_service_channels.seen')?.['subaccount_k8s_service_channels']).toHaveLength(1)
      expect(values.get('data.scc_subaccount_k8s_service_channel.seen')).toMatchObject({ enabled: true, connections: 3 })
      expect(values.get('data.scc_subaccount_abap_service_channels.seen')?.['subaccount_abap_service_channels']).toMatchObject([
        { port: 4822 },
      ])
      expect(values.get('data.scc_subaccount_abap_service_channel.seen')).toMatchObject({ port: 3321, comment: 'later' })
      const idOf = (address: string): string => String(values.get(address)?.['id'])
      const own = `${region},${acme}`
      const ids = {
        'scc_subaccount.acme': own,
        // Authentication data brings its region along.
        'scc_subaccount_using_auth.other': `${String(values.get('scc_subaccount_using_auth.other')?.['region_host'])},${other}`,
        'scc_system_mapping.business': `${own},business.virtual,443`,
        'scc_system_mapping.functions': `${own},functions.virtual,sapgw05`,
        ...Object.fromEntries(
          moreMappings.map(([name, port]) => [`scc_system_mapping.${name}`, `${own},${name.replace('_', '-')}.virtual,${port}`]),
        ),
        'scc_system_mapping_resource.orders': `${own},business.virtual,443,/orders/open`,
        'scc_system_mapping_resource.function': `${own},functions.virtual,sapgw05,BAPI_USER_GET`,
        'scc_domain_mapping.cookies': `${own},internal`,
        'scc_subaccount_k8s_service_channel.database': `${own},${idOf('scc_subaccount_k8s_service_channel.database')}`,
        'scc_subaccount_abap_service_channel.abap': `${own},ABAPCloud,${idOf('scc_subaccount_abap_service_channel.abap')}`,
        'scc_subaccount_abap_service_channel.abap_snc': `${own},ABAPCloudSNC,${idOf('scc_subaccount_abap_service_channel.abap_snc')}`,
      }
      // Authentication data is for once. What was imported is described without it.
      const later = { ...variables, authentication_data: null }
      // Nor does an answer tell who added a subaccount, or ask the provider to keep its trust up to date.
      expect(await terraform.importAgain(ids, later)).toEqual([
        { address: 'scc_subaccount.acme', actions: ['update'], differs: ['auto_trust_sync', 'cloud_password', 'cloud_user'] },
      ])
      expect(await terraform.plan(later)).toEqual([])
      await terraform.destroy(later)
      expect([
        await get('/api/v1/configuration/subaccounts'),
        await statusOf(`/api/v1/configuration/subaccounts/${region}/${acme}`),
      ]).toEqual([[], 404])
    },
    patienceMs,
  )

  it(
    'makes, reads, changes, imports and destroys what belongs to the connector as a whole',
    async () => {
      const [first, second] = ['First', 'Second'].map((name) => createTestCa({ subject: `/C=DE/O=Example/OU=Trust/CN=${name}` }))
      const variables = { authority: first?.certificate, other_authority: second?.certificate, changed: true }
      await using terraform = open('connector.tf')
      // A trusted certificate cannot be changed into another.
      await makeAndChange(terraform, variables, ['scc_backend_trust_store.backends'])
      const values = await terraform.values()
      expect(values.get('data.scc_proxy_settings.seen')).toMatchObject({ host: 'proxy-two.example', port: 3129, user: 'outbound' })
      expect(values.get('data.scc_backend_trust_store.seen')).toMatchObject({
        trusted_backends: [{ subject_dn: { cn: 'Second', ou: 'Trust', o: 'Example', c: 'DE' } }],
      })
      const ids = {
        'scc_proxy_settings.way_out': 'proxy-settings',
        'scc_backend_trust_store.backends': String(values.get('scc_backend_trust_store.backends')?.['alias']),
      }
      // No answer tells a password.
      expect(await terraform.importAgain(ids, variables)).toEqual([
        { address: 'scc_proxy_settings.way_out', actions: ['update'], differs: ['password'] },
      ])
      expect(await terraform.plan(variables)).toEqual([])
      await terraform.destroy(variables)
      expect([await get(`${cfg}/proxy`), (await get(`${cfg}/onPremises/truststore`)).trustedBackends]).toEqual([
        expect.not.objectContaining({ host: expect.stringContaining('example') }),
        [],
      ])
    },
    patienceMs,
  )

  it(
    'makes, reads, changes and destroys certificates that the connector makes itself',
    async () => {
      const variables = { changed: true }
      await using terraform = open('certificates-self-signed.tf', { pageIsReplaced: true })
      await makeAndChange(terraform, variables, ['scc_system_certificate_self_signed.system', 'scc_ui_certificate_self_signed.page'])
      const values = await terraform.values()
      expect(values.get('data.scc_system_certificate.seen')).toMatchObject({
        subject_dn: { cn: 'connector-two', email: 'admin@example.com', l: 'Berlin', ou: 'Landscape', o: 'Example', st: 'Berlin', c: 'DE' },
      })
      expect(values.get('data.scc_ca_certificate.seen')).toMatchObject({ subject_dn: { cn: 'Principals two', o: 'Example' } })
      expect(await get(`${cfg}/ui/uiCertificate`)).toMatchObject({
        subjectDN: 'CN=page-two.example',
        subjectAltNames: [
          { type: 'DNS', value: 'localhost' },
          { type: 'IP', value: '127.0.0.1' },
        ],
      })
      await terraform.destroy(variables)
      expect([await statusOf(`${cfg}/onPremises/systemCertificate`), await statusOf(`${cfg}/onPremises/ppCaCertificate`)]).toEqual([
        404, 404,
      ])
    },
    patienceMs,
  )

  it(
    'uploads, replaces and destroys certificates with their keys',
    async () => {
      const authority = createTestCa()
      const pkcs12 = async (certificates: readonly string[], privateKey: string): Promise<string> =>
        (await writePkcs12({ alias: 'one', certificates, privateKey, password: 'opens it' })).toString('base64')
      const issued = (name: string): Promise<string> => {
        const { certificate, key } = authority.issue({ subject: `/O=Example/CN=${name}`, keyType: 'rsa' })
        return pkcs12([certificate, authority.certificate], key)
      }
      const made = (name: string): Promise<string> => {
        const { certificate, key } = createTestCa({ subject: `/O=Example/CN=${name}`, keyType: 'rsa' })
        return pkcs12([certificate], key)
      }
      const variables = {
        system: [await issued('system one'), await issued('system two')],
        authority: [await made('authority one'), await made('authority two')],
        page: [await issued('page one'), await issued('page two')],
        changed: true,
      }
      await using terraform = open('certificates-pkcs12.tf', { pageIsReplaced: true })
      const names = { system: 'system', ca: 'authority', ui: 'page' }
      const addresses = Object.entries(names).map(([kind, name]) => `scc_${kind}_certificate_pkcs12_certificate.${name}`)
      await makeAndChange(terraform, variables, addresses)
      const values = await terraform.values()
      expect(addresses.map((address) => values.get(address)?.['subject_dn'])).toMatchObject(
        Object.values(names).map((name) => ({ cn: `${name} two`, o: 'Example' })),
      )
      await terraform.destroy(variables)
      expect([await statusOf(`${cfg}/onPremises/systemCertificate`), await statusOf(`${cfg}/onPremises/ppCaCertificate`)]).toEqual([
        404, 404,
      ])
    },
    patienceMs,
  )

  it(
    'uploads, replaces and destroys certificates that were signed on request',
    async () => {
      const authority = createTestCa({ subject: '/C=DE/O=Example/CN=Signer', keyType: 'rsa' })
      const [certificate = Buffer.alloc(0)] = parsePemCertificates(authority.certificate)
      const signed = async (path: string, subjectDN: string): Promise<string> => {
        const { text } = await world.call('POST', `${cfg}/${path}`, { type: 'csr', keySize: 2048, subjectDN })
        const { publicKey, subject } = parseCertificationRequest(text)
        const now = Date.now()
        const days = { notBefore: new Date(now - 60_000), notAfter: new Date(now + 86_400_000) }
        const own = issueCertificate(
          { subject, publicKey, ...days, extensions: {} },
          { certificate, privateKey: createPrivateKey(authority.key) },
        )
        return `${formatPem('CERTIFICATE', own).trim()}\n${authority.certificate.trim()}`
      }
      await using terraform = open('certificates-signed.tf', { pageIsReplaced: true })
      const addresses = [
        'system_certificate_signed_chain.system',
        'ca_certificate_signed_chain.authority',
        'ui_certificate_signed_chain.page',
      ].map((name) => `scc_${name}`)
      let variables = {}
      // An answer fits one request only, so each version needs requests of its own.
      for (const version of ['one', 'two']) {
        variables = {
          system: await signed('onPremises/systemCertificate', `CN=system ${version},O=Example`),
          authority: await signed('onPremises/ppCaCertificate', `CN=authority ${version},O=Example`),
          page: await signed('ui/uiCertificate', `CN=page ${version},O=Example`),
        }
        await terraform.apply(variables, { replace: version === 'one' ? [] : addresses })
        expect(await terraform.plan(variables)).toEqual([])
        const values = await terraform.values()
        expect(addresses.map((address) => values.get(address)?.['subject_dn'])).toMatchObject([
          { cn: `system ${version}` },
          { cn: `authority ${version}` },
          { cn: `page ${version}`, o: 'Example' },
        ])
      }
      await terraform.destroy(variables)
      expect([await statusOf(`${cfg}/onPremises/systemCertificate`), await statusOf(`${cfg}/onPremises/ppCaCertificate`)]).toEqual([
        404, 404,
      ])
    },
    patienceMs,
  )
})
