/** A virtual host. */
export interface Exposed {
  readonly host: string
  readonly port: number
}

/** What the connector exposes, each leading to the target of the case; `tools/` names them too. */
export const exposed = {
  http: { host: 'erp.internal', port: 80 },
  https: { host: 'erp.internal', port: 443 },
  tcp: { host: 'tcp.internal', port: 1 },
} as const
