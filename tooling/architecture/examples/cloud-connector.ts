import type { CloudConnectorOptions, ConnectorIdentity, createMaterialFolder, createAuditLog } from '@sallyport/cloud-connector'
import type { Clock } from '@sallyport/core'
import type { TlsClientMaterial } from '@sallyport/tunnel/tls'

export const typesOnly = 'it pairs with a server that does not exist'
export declare const authorities: string
export declare const code: string
export declare const connectorId: string
export declare const sealer: Parameters<typeof createMaterialFolder>[0]['sealer']
export declare const key: Parameters<typeof createAuditLog>[0]['key']
export declare const clock: Clock
export declare const material: CloudConnectorOptions['material']
export declare const audit: CloudConnectorOptions['audit']
export declare const clientMaterial: (identity: ConnectorIdentity) => TlsClientMaterial
