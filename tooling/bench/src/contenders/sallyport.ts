import { join } from 'node:path'
import type { Carries, Contender } from '../contender.ts'
import type { CloudSettings } from '../roles/product-cloud.ts'
import type { ConnectorSettings } from '../roles/product-connector.ts'
import { startRole } from './node-roles.ts'

/** The product: proxy, tunnel and connector, with tokens, mappings, access decisions and audit. */
export const sallyport: Contender = createSallyport('sallyport', ['tcp', 'http', 'https'])

/** The same for TCP as applications have it: behind the handshake of the SOCKS5 entry point. */
export const sallyportSocks: Contender = createSallyport('sallyport-socks', ['socks'])

function createSallyport(name: string, carries: readonly Carries[]): Contender {
  return {
    name,
    carries,
    missing: () => undefined,
    version: () => '',
    async up(site, what) {
      const { authority, server, client } = site.certificates
      const { subaccount, issuer, clientId } = site.tenant
      const cloudSettings: CloudSettings = { authority, identity: server, subaccount, issuer, client: clientId }
      const cloud = startRole(site, 'cloud', 'product-cloud', cloudSettings)
      const ports = await cloud.answer('tunnel')
      const connectorSettings: ConnectorSettings = {
        authority,
        identity: client,
        subaccount,
        target: site.target,
        tunnel: await site.through(Number(ports['tunnel'])),
        auditFolder: join(site.folder, 'audit'),
      }
      const connector = startRole(site, 'connector', 'product-connector', connectorSettings)
      await connector.answer('ready')
      const front = Number(ports[what === 'https' ? 'http' : what])
      return { front, ends: { cloud, connector }, reportsMemory: true }
    },
  }
}
