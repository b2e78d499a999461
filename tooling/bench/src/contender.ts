import type { TestIdentity } from '@sallyport/test-fixtures'
import type { IssuerKeys } from '@sallyport/token-verifier'
import type { Running, Side } from './processes.ts'

/** What a tunnel can carry: TCP connections to one target, the same behind SOCKS5, or requests to an HTTP proxy for a plain or a TLS target. */
export type Carries = 'tcp' | 'socks' | 'http' | 'https'

/** Where a tunnel is set up: one target, one link between its two ends. */
export interface Site {
  /** Port of the back end, on the connector's side. */
  readonly target: number
  /** Private folder, removed afterwards. */
  readonly folder: string
  readonly certificates: Certificates
  readonly tenant: Tenant
  /** The roles can be asked for their memory after a full collection; costs nothing else. */
  readonly measuresMemory: boolean
  /** Starts a process that is stopped with the site. */
  start(side: Side, command: string, args: readonly string[], env?: Readonly<Record<string, string>>): Running
  /** The port that leads to the listening end of the tunnel; the link, if there is one, is in between. */
  through(tunnelPort: number): Promise<number>
}

/** Whose applications load the tunnel. */
export interface Tenant {
  readonly subaccount: string
  readonly clientId: string
  readonly issuer: IssuerKeys
  /** Of an application. */
  readonly token: string
  /** Of a person. */
  readonly userToken: string
}

/** Certificates for localhost, made for this run. */
export interface Certificates {
  /** PEM of the authority. */
  readonly authority: string
  readonly server: TestIdentity
  readonly client: TestIdentity
}

/** A tunnel that is up. */
export interface Tunnel {
  /** Where the load connects to. */
  readonly front: number
  /** The process of each end, for their accounts of CPU and memory. */
  readonly ends: { readonly cloud: Running | undefined; readonly connector: Running | undefined }
  /** The processes answer SIGUSR2 with their memory. */
  readonly reportsMemory?: boolean
}

/** Something that takes part: the product, a peer, or a part of the product alone. */
export interface Contender {
  readonly name: string
  readonly carries: readonly Carries[]
  /** Why it cannot take part on this machine. */
  readonly missing: () => string | undefined
  readonly version: () => string
  up(site: Site, carries: Carries): Promise<Tunnel>
}
