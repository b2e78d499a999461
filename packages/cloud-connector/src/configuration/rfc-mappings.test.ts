import { describe, expect, it } from 'vitest'
import type { SystemMapping } from '../access-control/system-mapping.ts'
import { configurationChanges } from './configuration-changes.ts'
import { acceptConnectors, type ConnectorConfiguration, parseConfiguration } from './connector-configuration.ts'

type Fields = Readonly<Record<string, unknown>>

const parse = (fields: Fields, connector: Fields = {}): ConnectorConfiguration => {
  const mapping = { virtual: 'erp.demo:sapgw00', internal: 'rfc://erp.internal:sapgw42', backendType: 'abapSys', ...fields }
  return parseConfiguration({ text: JSON.stringify({ connectors: [{ mappings: [mapping], ...connector }] }), fileName: 'f' }).connectors[0]
}
const mappingOf = (fields: Fields, connector: Fields = {}): SystemMapping => parse(fields, connector).mappings[0]
const problems = (fields: Fields, connector: Fields = {}): readonly string[] => {
  try {
    parse(fields, connector)
    return []
  } catch (error) {
    return (error as Error).message.split('\n').map((line) => line.replace(/^\S+ connectors\[0\]\.mappings\[0\]\.?/, ''))
  }
}
const snc = { internal: 'rfcs://erp.internal:sapgw42s', virtual: 'erp.demo:sapgw00s', sncPartnerName: 'p:CN=ERP, O=Acme' }

it('reads a mapping of RFC anew when the ports of services have changed, though the mapping has not', () => {
  const connectors = parseConfiguration({
    text: JSON.stringify({
      connectors: [
        {
          services: { sapmsABC: 3600, sapmsXYZ: 8101 },
          mappings: [{ virtual: 'erp.demo:sapmsABC', internal: 'rfc://ms.internal:sapmsXYZ', backendType: 'abapSys' }],
        },
      ],
    }),
    fileName: 'f',
  }).connectors.map(({ entry }) => entry)
  const portOf = (sapmsXYZ: number): number | undefined =>
    acceptConnectors({ connectors: connectors.map((entry) => ({ ...entry, services: { sapmsABC: 3600, sapmsXYZ } })) }, 'f').connectors[0]
      ?.mappings[0]?.internalPortLow
  expect([portOf(8101), portOf(8102)]).toEqual([8101, 8102])
})

describe('mappings of protocol RFC', () => {
  it.each<[string, Fields, Fields, Fields]>([
    [
      'sapgwNN on both sides',
      {},
      {},
      { virtualPortLow: 3300, internalPortLow: 3342, rfc: { backend: { kind: 'gateway', systemNumber: '42' } } },
    ],
    [
      'the numbers behind sapgwNN',
      { virtual: 'erp.demo:3300', internal: 'rfc://erp.internal:3342' },
      {},
      { virtualPortLow: 3300, internalPortLow: 3342, rfc: { backend: { kind: 'gateway', systemNumber: '42' } } },
    ],
    ['sapgwNNs with SNC', snc, {}, { virtualPortLow: 4800, internalPortLow: 4842, protocol: 'RFCS' }],
    [
      'sapmsSID, whose port stands below services',
      { virtual: 'erp.demo:sapmsABC', internal: 'rfc://ms.internal:sapmsXYZ' },
      { services: { sapmsABC: 3600, sapmsXYZ: 8101 } },
      { virtualPortLow: 3600, internalPortLow: 8101, rfc: { backend: { kind: 'message-server', logonGroup: 'PUBLIC' } } },
    ],
    [
      'the usual number of a message server',
      { internal: 'rfc://ms.internal:3601', logonGroup: 'SALES' },
      {},
      { rfc: { backend: { kind: 'message-server', logonGroup: 'SALES' } } },
    ],
    [
      'any number with a logon group',
      { internal: 'rfc://ms.internal:8101', logonGroup: 'SALES' },
      {},
      { rfc: { backend: { kind: 'message-server', logonGroup: 'SALES' } } },
    ],
    [
      'any number with a system number',
      { internal: 'rfc://erp.internal:13300', systemNumber: '07' },
      {},
      { internalPortLow: 13_300, rfc: { backend: { kind: 'gateway', systemNumber: '07' } } },
    ],
  ])('CC-054 take %s', (_title, fields, connector, expected) => {
    expect(mappingOf(fields, connector)).toMatchObject(expected)
  })

  it.each<[string, Fields, RegExp]>([
    ['sapgwNNs without SNC', { internal: 'rfc://b:sapgw42s' }, /^internal: .*the gateway of rfc is sapgw42/],
    ['sapgwNN with SNC', { ...snc, internal: 'rfcs://b:sapgw42' }, /^internal: .*the gateway of rfcs is sapgw42s/],
    ['sapmsSID without a port', { internal: 'rfc://b:sapmsABC' }, /^internal: .*write it below services/],
    ['a system identifier of two characters', { internal: 'rfc://b:sapmsAB' }, /^internal: /],
    ['no port', { internal: 'rfc://b' }, /^internal: .*is not a host with sapgwNN/],
    ['a range', { internal: 'rfc://b:3300-3301' }, /^internal: /],
    ['a number that says nothing', { internal: 'rfc://b:8000' }, /^internal: port 8000 does not tell what listens there/],
    ['a name of a service in the name for the cloud', { virtual: 'erp.demo:sapdp00' }, /^virtual: /],
  ])('CC-054 refuse %s', (_title, fields, expected) => {
    expect(problems(fields)).toEqual([expect.stringMatching(expected)])
  })

  it('CC-055 refuse RFC with SNC without the name of its partner', () => {
    expect(problems({ ...snc, sncPartnerName: undefined })).toEqual([expect.stringMatching(/^sncPartnerName: an rfcs mapping names/)])
    expect(problems({ ...snc, sncPartnerName: 'CN=ERP' })).toEqual([expect.stringMatching(/^sncPartnerName: is not p:/)])
    expect(problems(snc)).toEqual([])
    expect(problems({ sncPartnerName: 'p:CN=ERP' })).toEqual([expect.stringMatching(/^sncPartnerName: only rfcs mappings have it/)])
  })

  it('refuse what contradicts itself or could not be applied', () => {
    expect(problems({ logonGroup: 'SALES' })).toEqual([expect.stringMatching(/^logonGroup: only message servers/)])
    expect(problems({ systemNumber: '41' })).toEqual([expect.stringMatching(/^systemNumber: sapgw42 belongs to system number 42/)])
    expect(problems({ functions: [{ name: 'A' }, { name: 'A', prefix: true }] })).toEqual([
      expect.stringMatching(/^functions\[1\]\.name: "A" is already function 0/),
    ])
    expect(problems({ functions: [{ name: 'A B' }] })).toHaveLength(1)
    expect(problems({ resources: [{ path: '/' }] })).toEqual([expect.stringMatching(/^resources: .*it has functions/)])
    expect(problems({ ...snc, functions: [{ name: 'A' }] })).toEqual([
      expect.stringMatching(/^functions: only http, https, and rfc mappings have it, rfcs mappings do not/),
    ])
    expect(
      problems({ internal: 'tcp://b:1', virtual: 'a:1', functions: [{ name: 'A' }], allowedClients: ['100'], sapRouter: '/H/r' }),
    ).toEqual([
      expect.stringMatching(/^functions: only http, https, and rfc mappings/),
      expect.stringMatching(/^allowedClients: only rfc/),
      expect.stringMatching(/^sapRouter: only rfc/),
    ])
    expect(problems({ allowedClients: ['1000'] })).toHaveLength(1)
    // A user who is to be propagated must not go missing in the SNC of the application.
    expect(problems({ ...snc, principalType: 'X509_RESTRICTED', passUnread: true })).toEqual([
      expect.stringMatching(/^passUnread: does not go with X509_RESTRICTED: .*SAP Cryptographic Library/),
    ])
    expect(problems({ principalType: 'X509_GENERAL' })).toEqual([
      expect.stringMatching(/^principalType: X509_GENERAL needs another protocol than RFC,/),
    ])
  })

  it('keep passwords of SAProuters out of the configuration', () => {
    expect(mappingOf({ sapRouter: '/H/router.internal/S/3299/H/second' }).rfc?.route).toEqual([
      { host: 'router.internal', service: '3299', password: '' },
      { host: 'second', service: '3299', password: '' },
    ])
    expect(mappingOf({ sapRouter: { file: 'route' } }).rfc?.route).toEqual({ file: 'route' })
    const [problem, ...more] = problems({ sapRouter: '/H/router/W/top-secret' })
    expect(problem).toMatch(/^sapRouter: holds a password/)
    expect([problem, ...more].join()).not.toContain('top-secret')
    expect(problems({ sapRouter: 'router' })).toHaveLength(1)
  })

  it('warn of what lets more pass than it seems', () => {
    const warnings = (fields: Fields): readonly string[] => parse(fields).warnings
    expect(warnings({ functions: [{ name: 'ARFC_DEST_SHIP' }, { name: 'BGRFC_', prefix: true }] })).toEqual([
      'erp.demo:sapgw00: ARFC_DEST_SHIP ships calls of other functions, which are not decided',
    ])
    expect(warnings({ virtual: 'a:1', internal: 'tcp://b:3300' })).toEqual([expect.stringContaining('admits every function')])
    expect(warnings({ virtual: 'a:1-100', internal: 'tcp://b:4899-4998' })).toEqual([expect.stringContaining('admits every function')])
    expect(warnings({ virtual: 'a:1', internal: 'tcp://b:3400' })).toEqual([])
    expect(warnings(snc)).toEqual([expect.stringContaining('every connection is refused')])
    expect(warnings({ ...snc, passUnread: true })).toEqual([expect.stringContaining('SNC passes unread')])
    expect(warnings({ ...snc, principalType: 'X509_GENERAL' })).toEqual([
      expect.stringMatching(/every connection is refused; .*SAP Cryptographic Library/),
    ])
  })

  it('warn of functions that admit less than it seems: none at all, and * for the rest of a name', () => {
    const warnings = (fields: Fields): readonly string[] => parse(fields).warnings
    const none = ': admits no function; name what may be called below functions'
    expect(warnings({})).toEqual([`erp.demo:sapgw00${none}`])
    expect(warnings({ functions: [{ name: 'BAPI_*' }, { name: 'Z_*', prefix: true }, { name: 'Z*A' }, { name: '*' }] })).toEqual([
      'erp.demo:sapgw00: * stands for itself in BAPI_*; for every name that begins so write BAPI_ with prefix: true',
      'erp.demo:sapgw00: * stands for itself in Z_*; for every name that begins so write Z_ with prefix: true',
      'erp.demo:sapgw00: * stands for itself in *; for every name that begins so write the beginnings one by one, with prefix: true',
    ])
    expect(warnings({ functions: [{ name: 'BAPI_*', enabled: false }] })).toEqual([`erp.demo:sapgw00${none}`])
    const soap = { virtual: 'erp.demo:80', internal: 'http://b:80', soapFunctionFilter: true }
    expect(warnings(soap)).toEqual([`erp.demo:80${none}`])
    expect(warnings({ ...soap, functions: [{ name: 'BAPI_*' }] })).toEqual([expect.stringContaining('write BAPI_ with prefix: true')])
    expect(warnings({ virtual: 'erp.demo:80', internal: 'http://b:80' })).toEqual([])
  })

  it('tell of changed functions one by one', () => {
    const before = parse({ functions: [{ name: 'A' }, { name: 'B' }] })
    const after = parse({
      functions: [
        { name: 'A', enabled: false },
        { name: 'C', prefix: true },
      ],
    })
    expect(configurationChanges(before.entry, after.entry).map(({ category, what }) => `${category} ${what}`)).toEqual([
      'AllowedResource erp.demo:sapgw00 A',
      'AllowedResource erp.demo:sapgw00 B',
      'AllowedResource erp.demo:sapgw00 C',
    ])
  })
})
