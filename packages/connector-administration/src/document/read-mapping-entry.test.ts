import { connectorEntrySchema } from '@sallyport/admin-api'
import { expect, it } from 'vitest'
import { toMappingEntry } from './administered-mapping.ts'
import { readMappingEntry } from './read-mapping-entry.ts'

const mappings = [
  {
    virtual: 'web.demo:443',
    internal: 'https://web.internal:8443',
    principalType: 'X509_GENERAL',
    hostInHeader: 'INTERNAL',
    description: 'pages',
    resources: [{ path: '/a', subPaths: true, enabled: false, websocketUpgradeAllowed: true, description: 'r' }],
  },
  { virtual: 'six.demo:80', internal: 'http://[::1]:8080' },
  {
    virtual: 'erp.demo:sapgw00',
    internal: 'rfc://erp.internal:sapgw20',
    backendType: 'abapSys',
    functions: [{ name: 'Z_', prefix: true }],
    allowedClients: ['100'],
    blockedUsers: [{ client: '100', user: 'JOE' }],
    sapRouter: '/H/router',
  },
  { virtual: 'range.demo:1000-1010', internal: 'tcp://range.internal:2000-2010' },
]

it('comes back as it stood in the configuration file', () => {
  const parse = (written: unknown) => connectorEntrySchema.parse({ mappings: written }).mappings
  const read = parse(mappings)
  const back = parse(read.map((entry) => toMappingEntry(readMappingEntry(entry, 0))))
  expect(back).toEqual(
    read.map((entry) => ({
      ...entry,
      principalType: entry.principalType ?? (entry.internal.startsWith('https') ? 'NONE_RESTRICTED' : 'NONE'),
    })),
  )
})

it('knows the ports that an address need not name', () => {
  const [entry] = connectorEntrySchema.parse({ mappings: [{ virtual: 'a:1', internal: 'ldaps://directory/' }] }).mappings
  expect(entry && readMappingEntry(entry, 7)).toMatchObject({ localHost: 'directory', localPort: '636', creationDateMs: 7 })
})
