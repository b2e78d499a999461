import { writeFileSync } from 'node:fs'

/** Resources of each mapping. */
const resourcesEach = 10

/** Names by number. */
export const virtualHostOf = (at: number): string => `system-${at}.virtual.example`
export const pathOf = (at: number, resource: number): string => `/sap/opu/odata/sap/API_${at}_${resource}_SRV`

/** So many mappings for HTTP, all to the port of one back end. */
export function mappingsOf(count: number, port: number): readonly Readonly<Record<string, unknown>>[] {
  return Array.from({ length: count }, (_, at) => ({
    virtualHost: virtualHostOf(at),
    virtualPort: '80',
    localHost: '127.0.0.1',
    localPort: String(port),
    protocol: 'HTTP',
    backendType: 'abapSys',
    authenticationMode: 'NONE',
    creationDateMs: 1,
    resources: Array.from({ length: resourcesEach }, (_each, resource) => ({
      id: pathOf(at, resource),
      enabled: true,
      exactMatchOnly: resource % 2 === 0,
      creationDateMs: 1,
    })),
  }))
}

/** The same as a configuration file, in YAML as people write it. */
export function configurationOf(count: number, port: number): string {
  const lines = ['version: 1', 'connectors:', '  - mappings:']
  for (let at = 0; at < count; at += 1) {
    lines.push(
      `      - virtual: ${virtualHostOf(at)}:80`,
      `        internal: http://127.0.0.1:${port}`,
      '        backendType: abapSys',
      '        resources:',
    )
    for (let resource = 0; resource < resourcesEach; resource += 1)
      lines.push(`          - { path: ${pathOf(at, resource)}, subPaths: ${resource % 2 === 1} }`)
  }
  return `${lines.join('\n')}\n`
}

/** Writes {@link configurationOf}, and the same as JSON. */
export function writeExposedSystems(name: string, count: number, port: number): Readonly<Record<'yaml' | 'json', string>> {
  const [yaml, json] = [`${name}.yaml`, `${name}.json`]
  writeFileSync(yaml, configurationOf(count, port))
  const mappings = Array.from({ length: count }, (_, at) => ({
    virtual: `${virtualHostOf(at)}:80`,
    internal: `http://127.0.0.1:${port}`,
    backendType: 'abapSys',
    resources: Array.from({ length: resourcesEach }, (_each, resource) => ({ path: pathOf(at, resource), subPaths: resource % 2 === 1 })),
  }))
  writeFileSync(json, JSON.stringify({ version: 1, connectors: [{ mappings }] }, undefined, 2))
  return { yaml, json }
}
