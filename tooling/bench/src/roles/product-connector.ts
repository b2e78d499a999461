import { createSecretKey, randomBytes } from 'node:crypto'
import { createAuditLog, createCloudConnector, createConfigurationText, createMaterialMemory } from '@sallyport/cloud-connector'
import { createSecret, systemClock } from '@sallyport/core'
import { createTlsTransport } from '@sallyport/tunnel/tls'
import { exposed, type Exposed } from './exposed.ts'
import { beginRole, type RoleSettings, tell } from './role.ts'

export interface ConnectorSettings extends RoleSettings {
  readonly subaccount: string
  /** Port of the tunnel's listening end, or of the link in front of it. */
  readonly tunnel: number
  /** Port of the back end. */
  readonly target: number
  readonly auditFolder: string
}

// The on-premise side of the product. Every decision is audited, also those that allow.
const { authority, identity, subaccount, tunnel, target, auditFolder } = beginRole() as ConnectorSettings
const virtual = ({ host, port }: Exposed): string => `${host}:${port}`
const resources = ['/sap/bc/', '/sap/opu/odata/', '/sap/public/'].map((path) => ({ path, subPaths: true }))
const configuration = {
  connectors: [
    {
      audit: { level: 'ALL' },
      trust: { automatic: true },
      systemCertificate: 'generated',
      principalPropagation: { subjectPattern: 'CN=${email}', ca: 'generated' },
      backendTrust: { authorities: [{ file: 'authority.pem' }] },
      mappings: [
        { virtual: virtual(exposed.http), internal: `http://127.0.0.1:${target}`, resources },
        { virtual: virtual(exposed.https), internal: `https://127.0.0.1:${target}`, principalType: 'X509_GENERAL', resources },
        { virtual: virtual(exposed.tcp), internal: `tcp://127.0.0.1:${target}` },
      ],
    },
  ],
}
const connector = createCloudConnector({
  configuration: createConfigurationText({ text: JSON.stringify(configuration), files: { 'authority.pem': authority } }),
  identities: [
    {
      subaccount,
      locationId: '',
      connectorId: 'bench-connector',
      description: '',
      tunnelEndpoint: `tls://127.0.0.1:${tunnel}`,
      certificate: identity.certificate,
      key: createSecret(identity.key),
      authorities: authority,
    },
  ],
  createTransport: (current) =>
    createTlsTransport({
      clock: systemClock,
      client: () => ({ certificate: current().certificate, key: current().key, ca: current().authorities }),
    }),
  material: createMaterialMemory(),
  audit: createAuditLog({ folder: auditFolder, key: createSecretKey(randomBytes(32)), clock: systemClock }),
  clock: systemClock,
  agentVersion: 'bench',
})
await connector.start()
await connector.whenConnected(AbortSignal.timeout(10_000))
tell({ ready: true })
