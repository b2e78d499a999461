import type { Contender } from '../contender.ts'
import type { DiallingSettings } from '../roles/tunnel-connector.ts'
import { startRole } from './node-roles.ts'

/** The multiplexer over TLS and the relays at its ends, without entry points, control stream, mappings, decisions and audit. */
export const bareTunnel: Contender = {
  name: 'bare-tunnel',
  carries: ['tcp'],
  missing: () => undefined,
  version: () => '',
  async up(site) {
    const { authority, server, client } = site.certificates
    const cloud = startRole(site, 'cloud', 'tunnel-cloud', { authority, identity: server })
    const { front, tunnel } = await cloud.answer('front')
    const settings: DiallingSettings = { authority, identity: client, target: site.target, tunnel: await site.through(Number(tunnel)) }
    const connector = startRole(site, 'connector', 'tunnel-connector', settings)
    await Promise.all([connector.answer('ready'), cloud.answer('connected')])
    return { front: Number(front), ends: { cloud, connector }, reportsMemory: true }
  },
}
