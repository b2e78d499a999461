import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSecret, systemClock } from '@sallyport/core'
import { createTestCa, createTestKeytab } from '@sallyport/test-fixtures'
import { createMemoryTransport } from '@sallyport/tunnel/memory'
import { expect, it } from 'vitest'
import { type ConnectorIdentity, createCloudConnector, createConfigurationText, createMaterialMemory } from '../src/index.ts'
import { until } from './connector-bench.ts'

const keytab = createTestKeytab([{ principal: 'svc@ACME.TEST', encryption: 18 }])
const settings = {
  realm: 'ACME.TEST',
  kdcHosts: ['127.0.0.1:1'],
  serviceUser: 'svc',
  encryptionTypes: ['AES256_CTS_HMAC_SHA1_96' as const],
  userDomains: [],
}

it('a check of other Kerberos settings leaves alone what a configuration that is just being read has asked for', async () => {
  const certified = createTestCa().issue({ subject: '/CN=bench', names: [] })
  const identities = ['', 'b'].map((locationId): ConnectorIdentity => ({
    subaccount: 'demo',
    locationId,
    connectorId: 'bench',
    description: '',
    tunnelEndpoint: 'memory://cloud',
    certificate: certified.certificate,
    key: createSecret(certified.key),
    authorities: '',
  }))
  const material = createMaterialMemory()
  const held = Promise.withResolvers<void>()
  let isHeld = false
  const { load } = material
  Object.assign(material, {
    async load(name: string) {
      if (name.startsWith('system ')) {
        isHeld = true
        await held.promise
      }
      return await load(name)
    },
  })
  const configuration = createConfigurationText({ text: '{}', files: { 'service.keytab': keytab } })
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-kerberos-'))
  const tickets = join(folder, 'tickets')
  await using connector = createCloudConnector({
    configuration: { ...configuration, watch: () => () => {} },
    identities,
    createTransport: () => createMemoryTransport({ clock: systemClock }),
    material,
    audit: { failing: false, write: () => {}, flushed: () => Promise.resolve() },
    clock: systemClock,
    // Nothing is found there: what is kept does not depend on what is installed.
    kerberos: { folder: tickets, searchPath: folder },
    isWanted: () => false,
    agentVersion: 'test',
  })
  try {
    await connector.start()
    // One tunnel has its new state, while the other one still waits for its certificate.
    const connectors = [
      { kerberos: { ...settings, keytab: { file: 'service.keytab' } } },
      { locationId: 'b', systemCertificate: 'generated' },
    ]
    configuration.replace(JSON.stringify({ connectors }))
    const reloading = connector.reload()
    await until(() => isHeld)
    const logon = (realm: string): Parameters<typeof connector.checkKerberos>[0] => ({
      settings: { ...settings, realm },
      keytab: createSecret(keytab.toString('base64')),
    })
    const { signal } = new AbortController()
    expect(await connector.checkKerberos(logon('OTHER.TEST'), signal)).toBeDefined()
    held.resolve()
    await reloading
    // What the tunnel has is what a check of the same settings uses, and stays there for the next request.
    await until(() => readdirSync(tickets).length === 0)
    expect(await connector.checkKerberos(logon('ACME.TEST'), signal)).toBeDefined()
    const folders = readdirSync(tickets)
    expect(await connector.checkKerberos(logon('ACME.TEST'), signal)).toBeDefined()
    expect(folders).toHaveLength(1)
    expect(readdirSync(tickets)).toEqual(folders)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
