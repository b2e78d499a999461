import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import type { Clock } from '@sallyport/core'
import { startBusinessSystem, type DemoBackend } from '../demo/business-system.ts'
import { startEchoSystem, startPlainSystem } from '../demo/plain-system.ts'
import type { DataFolder } from './data-folder.ts'
import { openAuthority } from './local-authority.ts'

/** Ports of the demo backends; an absent one is not started. */
export interface DemoPorts {
  readonly odata?: number | undefined
  readonly http?: number | undefined
  readonly echo?: number | undefined
}

const host = '127.0.0.1'

/** Names of the demo's key material below the data folder; the demo configuration refers to them. */
export const demoFiles = {
  backendAuthority: 'demo/backend-ca',
  principalAuthority: 'demo/principal-ca',
  systemAuthority: 'demo/system-ca',
  system: 'demo/system',
  backend: 'demo/backend',
} as const

/** Makes the key material of the demo's "company network", once. */
export function prepareDemo(
  folder: DataFolder,
  clock: Clock,
): { readonly backend: { certificate: string; key: string }; readonly principalAuthority: string; readonly systemAuthority: string } {
  const backendAuthority = openAuthority(folder, clock, { name: demoFiles.backendAuthority, commonName: 'Demo Company CA' })
  const principalAuthority = openAuthority(folder, clock, { name: demoFiles.principalAuthority, commonName: 'Demo CA' })
  const systemAuthority = openAuthority(folder, clock, { name: demoFiles.systemAuthority, commonName: 'Demo System CA' })
  systemAuthority.identity(demoFiles.system, { subject: [{ type: 'CN', value: 'cloud-connector.demo' }], names: ['cloud-connector.demo'] })
  const backend = backendAuthority.identity(demoFiles.backend, {
    subject: [{ type: 'CN', value: 's4.internal' }],
    names: ['s4.internal', 'localhost', host],
  })
  return { backend, principalAuthority: principalAuthority.certificate, systemAuthority: systemAuthority.certificate }
}

/** Starts the demo backends that have a port. */
export async function startDemo(folder: DataFolder, clock: Clock, ports: DemoPorts): Promise<readonly DemoBackend[]> {
  const material = prepareDemo(folder, clock)
  const backends: DemoBackend[] = []
  try {
    if (ports.odata !== undefined) {
      backends.push(
        await startBusinessSystem({
          host,
          port: ports.odata,
          certificate: material.backend.certificate,
          key: material.backend.key,
          clientAuthority: material.systemAuthority,
          principalAuthority: material.principalAuthority,
          now: () => clock.now(),
        }),
      )
    }
    if (ports.http !== undefined) backends.push(await startPlainSystem({ host, port: ports.http }))
    if (ports.echo !== undefined) backends.push(await startEchoSystem({ host, port: ports.echo }))
    return backends
  } catch (error) {
    await Promise.all(backends.map((backend) => backend.close()))
    throw error
  }
}

/** Three ports that nobody listens on now. */
export async function chooseDemoPorts(): Promise<Required<{ odata: number; http: number; echo: number }>> {
  const probes = await Promise.all([0, 1, 2].map(() => listen()))
  const [odata = 0, http = 0, echo = 0] = probes.map((probe) => (probe.address() as AddressInfo).port)
  await Promise.all(probes.map((probe) => new Promise((resolve) => probe.close(resolve))))
  return { odata, http, echo }
}

async function listen(): Promise<ReturnType<typeof createServer>> {
  const probe = createServer()
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject)
    probe.listen(0, host, resolve)
  })
  return probe
}

/** The configuration that the local stack runs with when there is no file: one subaccount, one connector, three backends. */
export function demoConfiguration(ports: { readonly odata: number; readonly http: number; readonly echo: number }): string {
  return `# The demo of "sallyport dev", written anew at each start. Copy it to sallyport.yaml to make it yours
# (the demo's key material stays in this folder: adapt the file paths then).
version: 1
subaccounts:
  - id: demo
    users:
      - { name: jane@acme.test, givenName: Jane, familyName: Roe, groups: [sales], attributes: { country: DE } }
      - { name: john@acme.test, givenName: John, familyName: Doe, attributes: { country: US } }
      - { name: admin@acme.test, givenName: Ada, familyName: Min, groups: [Subaccount Administrator] }
    destinations:
      - { Name: S4_DEMO, Type: HTTP, ProxyType: OnPremise, URL: "http://s4.demo:443", Authentication: PrincipalPropagation }
      - { Name: S4_SYSTEM, Type: HTTP, ProxyType: OnPremise, URL: "http://s4.demo:443", Authentication: NoAuthentication }
      - { Name: PLAIN_DEMO, Type: HTTP, ProxyType: OnPremise, URL: "http://plain.demo:80", Authentication: NoAuthentication }
      - { Name: ECHO_DEMO, Type: TCP, ProxyType: OnPremise, Address: "echo.demo:7" }
connectors:
  - locationId: ""
    description: Demo company
    trust: { automatic: true }
    backendTrust: { authorities: [{ file: ${demoFiles.backendAuthority}.crt }] }
    systemCertificate: { certificate: { file: ${demoFiles.system}.crt }, key: { file: ${demoFiles.system}.key } }
    principalPropagation:
      subjectPattern: "CN=\${email}"
      ca: { certificate: { file: ${demoFiles.principalAuthority}.crt }, key: { file: ${demoFiles.principalAuthority}.key } }
    mappings:
      - virtual: "s4.demo:443"
        internal: "https://127.0.0.1:${ports.odata}"
        backendType: abapSys
        principalType: X509_GENERAL
        resources:
          - { path: /sap/opu/odata/, subPaths: true }
          - { path: /sap/bc/ping }
      - virtual: "plain.demo:80"
        internal: "http://127.0.0.1:${ports.http}"
        resources:
          - { path: /, subPaths: true }
      - { virtual: "echo.demo:7", internal: "tcp://127.0.0.1:${ports.echo}" }
server:
  destinationService: { allowPrivateTokenServices: true }
demo: { odata: ${ports.odata}, http: ${ports.http}, echo: ${ports.echo} }
`
}
