import { join } from 'node:path'
import { writeFileSync } from 'node:fs'
import { systemClock } from '@sallyport/core'
import type { DemoBackend } from '../src/demo/business-system.ts'
import { openDataFolder } from '../src/stack/data-folder.ts'
import { chooseDemoPorts, demoFiles, startDemo } from '../src/stack/demo.ts'

/** An on-premise network for tests: the demo backends with their key material, and a connector configuration that exposes them. */
export interface Company extends AsyncDisposable {
  readonly ports: { readonly odata: number; readonly http: number; readonly echo: number }
  /** The `connectors` part of a configuration, as YAML. `more` goes below the mappings. */
  connectors(options?: { readonly audit?: 'ALL' | 'SECURITY'; readonly mappings?: string; readonly settings?: string }): string
  stop(which: 'odata' | 'http' | 'echo'): Promise<void>
}

export async function startCompany(folder: string): Promise<Company> {
  const data = openDataFolder(join(folder, 'company'))
  const ports = await chooseDemoPorts()
  const backends = await startDemo(data, systemClock, ports)
  const file = (name: string): string => join(data.path, name)
  const close = async (): Promise<void> => {
    await Promise.all(backends.map((backend: DemoBackend) => backend.close()))
  }
  return {
    ports,
    connectors: ({ audit = 'ALL', mappings = '', settings = '' } = {}) => `connectors:
  - locationId: ""
    trust: { automatic: true }
    audit: { level: ${audit} }
    backendTrust: { authorities: [{ file: ${file(`${demoFiles.backendAuthority}.crt`)} }] }
    systemCertificate: { certificate: { file: ${file(`${demoFiles.system}.crt`)} }, key: { file: ${file(`${demoFiles.system}.key`)} } }
    principalPropagation:
      subjectPattern: "CN=\${email}"
      ca: { certificate: { file: ${file(`${demoFiles.principalAuthority}.crt`)} }, key: { file: ${file(`${demoFiles.principalAuthority}.key`)} } }
${settings}    mappings:
      - virtual: "s4.demo:443"
        internal: "https://127.0.0.1:${ports.odata}"
        backendType: abapSys
        principalType: X509_GENERAL
        resources: [{ path: /sap/opu/odata, subPaths: true }, { path: /sap/bc/ping }]
      - virtual: "plain.demo:80"
        internal: "http://127.0.0.1:${ports.http}"
        resources: [{ path: /, subPaths: true }]
      - { virtual: "echo.demo:7", internal: "tcp://127.0.0.1:${ports.echo}" }
${mappings}`,
    async stop(which) {
      await backends[['odata', 'http', 'echo'].indexOf(which)]?.close()
    },
    [Symbol.asyncDispose]: close,
  }
}

/** The cloud side's part of a configuration: one subaccount with Jane and the usual destinations. */
export const subaccounts = `version: 1
subaccounts:
  - id: demo
    users: [{ name: jane@acme.test, groups: [sales] }, { name: john@acme.test }]
    destinations:
      - { Name: S4_DEMO, Type: HTTP, ProxyType: OnPremise, URL: "http://s4.demo:443", Authentication: PrincipalPropagation }
      - { Name: PLAIN_DEMO, Type: HTTP, ProxyType: OnPremise, URL: "http://plain.demo:80", Authentication: NoAuthentication }
`

export function writeConfiguration(path: string, text: string): string {
  writeFileSync(path, text)
  return path
}
