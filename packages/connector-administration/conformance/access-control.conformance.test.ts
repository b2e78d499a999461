import { type BackendProtocol, backendProtocols, backendTypes, principalTypes } from '@sallyport/admin-api'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type AdministrationBench, startAdministrationBench } from './administration-bench.ts'

const region = 'cf.eu10.hana.ondemand.com'
const base = `/api/v1/configuration/subaccounts/${region}/demo`
const mappings = `${base}/systemMappings`
const https = {
  virtualHost: 's4.virtual',
  virtualPort: '443',
  localHost: 's4.internal',
  localPort: '44300',
  protocol: 'HTTPS',
  backendType: 'abapSys',
  authenticationMode: 'X509_RESTRICTED',
}
const rfc = {
  ...https,
  virtualHost: 'erp.virtual',
  virtualPort: 'sapgw00',
  localPort: 'sapgw11',
  protocol: 'RFC',
  authenticationMode: 'NONE',
}

let bench: AdministrationBench
let lockedBy: string | undefined
beforeEach(async () => {
  lockedBy = undefined
  bench = await startAdministrationBench({
    haRole: 'master',
    isLocked: (subaccount, user) => subaccount === 'demo' && lockedBy !== undefined && lockedBy !== user,
  })
  await bench.expose({ regionHost: region, subaccount: 'demo' })
})
afterEach(() => bench[Symbol.asyncDispose]())

/** What a `Location` or link leads to. */
const follow = (href: string | string[] | undefined) => bench.call('GET', new URL(String(href)).pathname)

/** What the connector decides with, in its own form. */
const decides = () => bench.rendered('demo').mappings

describe('system mappings', () => {
  it('CC-049 CC-169 are made once, at an absolute Location that shows them; a second one of the same name is refused', async () => {
    bench.clock.advance(1000)
    const created = await bench.call('POST', mappings, { ...https, allowedClients: [], sid: 'S4H' })
    expect([created.status, created.body]).toEqual([201, ''])
    expect(created.headers['location']).toBe(`https://127.0.0.1:${bench.port}${mappings}/s4.virtual:443`)
    expect((await follow(created.headers['location'])).json()).toEqual({
      ...https,
      creationDate: String(bench.clock.now()),
      hostInHeader: 'VIRTUAL',
      sid: 'S4H',
      totalResourcesCount: 0,
      enabledResourcesCount: 0,
      allowedClients: [],
      blacklistedUsers: [],
      _links: {
        self: { href: `https://127.0.0.1:${bench.port}${mappings}/s4.virtual:443` },
        resources: { href: `https://127.0.0.1:${bench.port}${mappings}/s4.virtual:443/resources` },
      },
    })
    const again = await bench.call('POST', mappings, { ...https, virtualHost: 'S4.virtual' })
    expect([again.status, again.json().type]).toEqual([409, 'INVALID_CONFIGURATION'])
    const missing = await bench.call('GET', `${mappings}/s4.virtual:444`)
    expect([missing.status, missing.json()]).toEqual([404, { type: 'NOT_FOUND', message: expect.stringContaining("'s4.virtual:444'") }])
    expect((await bench.call('GET', mappings)).json()).toHaveLength(1)
    expect(decides()).toMatchObject([{ virtual: 's4.virtual:443', internal: 'https://s4.internal:44300' }])
  })

  it('CC-050 keep their virtual host and port, and the date of their making', async () => {
    await bench.call('POST', mappings, https)
    const { creationDate } = (await bench.call('GET', `${mappings}/s4.virtual:443`)).json()
    bench.clock.advance(60_000)
    for (const other of [{ virtualHost: 'other' }, { virtualPort: '444' }])
      expect((await bench.call('PUT', `${mappings}/s4.virtual:443`, { ...https, ...other })).status).toBe(400)
    const changed = { ...https, localHost: 'standby', localPort: 8443, hostInHeader: 'internal', backendType: 'hana' }
    // The colon may be escaped.
    expect((await bench.call('PUT', `${mappings}/s4.virtual%3A443`, changed)).status).toBe(204)
    expect((await bench.call('GET', `${mappings}/s4.virtual:443`)).json()).toMatchObject({
      ...changed,
      localPort: '8443',
      hostInHeader: 'INTERNAL',
      creationDate,
    })
  })

  const portsOf = (protocol: BackendProtocol) => {
    if (protocol === 'RFC') return { virtualPort: 'sapgw00', localPort: 'sapgw00' }
    if (protocol === 'RFCS') return { virtualPort: 'sapgw00s', localPort: 'sapgw00s', sncPartnerName: 'p:CN=ERP' }
    return { virtualPort: '1234', localPort: '1234' }
  }

  it('CC-051 take every pair of backend type and protocol that the original has, and no other', async () => {
    const http = ['HTTP', 'HTTPS']
    const abap = [...http, 'RFC', 'RFCS', 'RFCWS', 'TCP', 'TCPS']
    const table: Readonly<Record<(typeof backendTypes)[number], readonly string[]>> = {
      abapSys: abap,
      hana: [...http, 'TCP', 'TCPS'],
      applServerJava: http,
      netweaverCE: http,
      BC: http,
      PI: http,
      netweaverGW: abap,
      otherSAPsys: [...http, 'TCP', 'TCPS'],
      nonSAPsys: [...http, 'TCP', 'TCPS', 'LDAP', 'LDAPS'],
    }
    for (const backendType of backendTypes) {
      for (const protocol of backendProtocols) {
        const { status } = await bench.call('POST', mappings, {
          ...https,
          ...portsOf(protocol),
          virtualHost: `${backendType}-${protocol}`,
          backendType,
          protocol,
          authenticationMode: 'NONE',
        })
        expect([backendType, protocol, status]).toEqual([backendType, protocol, table[backendType].includes(protocol) ? 201 : 400])
      }
    }
  })

  it('CC-052 take every authentication mode that the protocol has, and no other', async () => {
    const table: Readonly<Partial<Record<BackendProtocol, readonly string[]>>> = {
      HTTP: ['NONE', 'KERBEROS'],
      HTTPS: ['NONE', 'NONE_RESTRICTED', 'X509_GENERAL', 'X509_RESTRICTED', 'KERBEROS'],
      RFCS: ['NONE', 'X509_GENERAL', 'X509_RESTRICTED'],
      RFCWS: ['NONE', 'X509_GENERAL'],
    }
    for (const protocol of backendProtocols) {
      for (const authenticationMode of [...principalTypes, 'X509_CERTIFICATE', 'X509_CERTIFICATE_LOCAL']) {
        const { status } = await bench.call('POST', mappings, {
          ...https,
          ...portsOf(protocol),
          virtualHost: `${protocol}-${authenticationMode.replaceAll('_', '-')}`,
          backendType: protocol.startsWith('LDAP') ? 'nonSAPsys' : 'abapSys',
          protocol,
          authenticationMode,
        })
        const allowed = (table[protocol] ?? ['NONE']).includes(authenticationMode)
        expect([protocol, authenticationMode, status]).toEqual([protocol, authenticationMode, allowed ? 201 : 400])
      }
    }
  })

  it('CC-053 have the virtual host in requests unless they say otherwise, in one case or the other', async () => {
    const shown = async (hostInHeader: string | undefined) => {
      await bench.call('DELETE', mappings)
      const { status } = await bench.call('POST', mappings, { ...https, hostInHeader })
      return status === 201 ? (await bench.call('GET', `${mappings}/s4.virtual:443`)).json().hostInHeader : status
    }
    expect([
      await shown(undefined),
      await shown('virtual'),
      await shown('internal'),
      await shown('INTERNAL'),
      await shown('Internal'),
    ]).toEqual(['VIRTUAL', 'VIRTUAL', 'INTERNAL', 'INTERNAL', 400])
  })

  it('CC-054 CC-055 name gateways and message servers, and for SNC the partner', async () => {
    const statusOf = async (mapping: object) => (await bench.call('POST', mappings, { ...rfc, ...mapping })).status
    expect(await statusOf({})).toBe(201)
    expect(await statusOf({ virtualHost: 'ms', virtualPort: 'sapmsABC', localPort: 'sapmsXYZ' })).toBe(201)
    expect(await statusOf({ virtualHost: 'no', virtualPort: 'sapgw00s' })).toBe(400)
    const snc = { virtualHost: 'snc', virtualPort: 'sapgw00s', localPort: 'sapgw00s', protocol: 'RFCS' }
    expect(await statusOf(snc)).toBe(400)
    expect(await statusOf({ ...snc, sncPartnerName: 'p:CN=ERP, O=Acme' })).toBe(201)
    expect(await statusOf({ ...snc, virtualHost: 'no', virtualPort: 'sapgw00', sncPartnerName: 'p:CN=ERP' })).toBe(400)
  })

  it('let SNC and WebSocket RFC pass unread where they say so, and only there', async () => {
    const snc = { ...rfc, virtualHost: 'snc', virtualPort: 'sapgw00s', localPort: 'sapgw00s', protocol: 'RFCS', sncPartnerName: 'p:CN=ERP' }
    const webSocket = { ...https, virtualHost: 'ws', protocol: 'RFCWS', authenticationMode: 'X509_GENERAL' }
    for (const given of [snc, webSocket]) {
      const path = `${mappings}/${given.virtualHost}:${given.virtualPort}`
      const passes = async () => [(await bench.call('GET', path)).json().passUnread, decides().at(-1)?.passUnread ?? false]
      expect((await bench.call('POST', mappings, given)).status).toBe(201)
      expect(await passes()).toEqual([false, false])
      expect((await bench.call('PUT', path, { ...given, passUnread: true })).status).toBe(204)
      expect(await passes()).toEqual([true, true])
      // A client that does not know the property takes nothing away.
      expect((await bench.call('PUT', path, { ...given, description: 'changed' })).status).toBe(204)
      expect(await passes()).toEqual([true, true])
      expect((await bench.call('PUT', path, { ...given, passUnread: 'false' })).status).toBe(204)
      expect(await passes()).toEqual([false, false])
    }
    for (const given of [rfc, https])
      expect((await bench.call('POST', mappings, { ...given, passUnread: true })).json().message).toContain(
        'passUnread is for RFCS and RFCWS',
      )
    expect((await bench.call('GET', mappings)).json().filter((mapping: object) => 'passUnread' in mapping)).toHaveLength(2)
  })

  it('propagate nobody over SNC: with passUnread they are refused, and why is said', async () => {
    const snc = { ...rfc, virtualPort: 'sapgw00s', localPort: 'sapgw00s', protocol: 'RFCS', sncPartnerName: 'p:CN=ERP' }
    const refused = await bench.call('POST', mappings, { ...snc, authenticationMode: 'X509_GENERAL', passUnread: true })
    expect([refused.status, refused.json().message]).toEqual([400, expect.stringContaining('SAP Cryptographic Library')])
    expect((await bench.call('POST', mappings, { ...rfc, authenticationMode: 'X509_GENERAL' })).status).toBe(400)
    expect((await bench.call('GET', mappings)).json()).toEqual([])
  })

  it('CC-056 CC-057 have ranges of equal width for TCP, which cannot be changed', async () => {
    const range = {
      ...https,
      virtualHost: 'range',
      virtualPort: '1000-1010',
      localPort: '2000-2010',
      protocol: 'TCP',
      authenticationMode: 'NONE',
    }
    expect((await bench.call('POST', mappings, { ...range, localPort: '2000-2009' })).status).toBe(400)
    expect((await bench.call('POST', mappings, range)).status).toBe(201)
    expect((await bench.call('PUT', `${mappings}/range:1000-1010`, { ...range, localPort: '3000-3010' })).status).toBe(400)
    expect((await bench.call('PUT', `${mappings}/range:1000-1010`, { ...range, description: 'of the plant' })).status).toBe(204)
    expect((await bench.call('GET', `${mappings}/range:1000-1010`)).json()).toMatchObject({
      localPort: '2000-2010',
      description: 'of the plant',
    })
  })

  it('CC-072 need no resources for TCP and LDAP, and have none', async () => {
    const tcp = { ...https, virtualHost: 'tcp', protocol: 'TCP', authenticationMode: 'NONE' }
    const ldap = { ...tcp, virtualHost: 'ldap', virtualPort: '389', protocol: 'LDAP', backendType: 'nonSAPsys' }
    await bench.call('POST', mappings, tcp)
    await bench.call('POST', mappings, ldap)
    for (const name of ['tcp:443', 'ldap:389']) {
      expect((await bench.call('GET', `${mappings}/${name}/resources`)).json()).toEqual([])
      expect((await bench.call('POST', `${mappings}/${name}/resources`, { id: '/' })).status).toBe(400)
    }
    expect(decides()).toHaveLength(2)
  })

  it('CC-018 a mapping without what it needs is refused, and all can be deleted at once', async () => {
    for (const name of ['virtualHost', 'virtualPort', 'localHost', 'localPort', 'protocol', 'backendType']) {
      const answer = await bench.call('POST', mappings, { ...https, [name]: undefined })
      expect([name, answer.status, answer.json().type]).toEqual([name, 400, 'INVALID_REQUEST'])
    }
    await bench.call('POST', mappings, https)
    await bench.call('POST', mappings, rfc)
    expect((await bench.call('DELETE', `${mappings}/s4.virtual:443`)).status).toBe(204)
    expect((await bench.call('DELETE', `${mappings}/s4.virtual:443`)).status).toBe(404)
    expect(decides()).toHaveLength(1)
    expect((await bench.call('DELETE', mappings)).status).toBe(204)
    expect(decides()).toEqual([])
  })
})

describe('resources', () => {
  const resources = `${mappings}/s4.virtual:443/resources`
  beforeEach(() => bench.call('POST', mappings, https))

  it.each([
    ['/', '-'],
    ['/a-b/c', '-a+2Db-c'],
    ['/sap/opu/odata+v4/#frag;v=1', '-sap-opu-odata+2Bv4-%23frag%3Bv%3D1'],
    ['/a/b/c/d', '-a-b-c-d'],
  ])('CC-172 CC-169 %s is found as %s', async (id, member) => {
    const created = await bench.call('POST', resources, { id, enabled: 'true', exactMatchOnly: true, description: 'x' })
    expect([created.status, created.body, created.headers['location']]).toEqual([
      201,
      '',
      `https://127.0.0.1:${bench.port}${resources}/${member}`,
    ])
    const found = await follow(created.headers['location'])
    expect(found.json()).toEqual({
      id,
      enabled: true,
      exactMatchOnly: true,
      websocketUpgradeAllowed: false,
      creationDate: String(bench.clock.now()),
      description: 'x',
      _links: { self: { href: created.headers['location'] } },
    })
    expect((await bench.call('GET', resources)).json()).toMatchObject([{ id, _links: {} }])
    expect((await bench.call('DELETE', `${resources}/${member}`)).status).toBe(204)
    expect((await bench.call('GET', `${resources}/${member}`)).status).toBe(404)
  })

  it('CC-171 take truth as text, and change only what is given', async () => {
    await bench.call('POST', resources, { id: '/x', enabled: 'true', exactMatchOnly: 'false', websocketUpgradeAllowed: 'false' })
    expect((await bench.call('PUT', `${resources}/-x`, { enabled: 'false', description: 'suspended' })).status).toBe(204)
    expect((await bench.call('GET', `${resources}/-x`)).json()).toMatchObject({
      enabled: false,
      exactMatchOnly: false,
      description: 'suspended',
    })
    expect((await bench.call('GET', `${mappings}/s4.virtual:443`)).json()).toMatchObject({
      totalResourcesCount: 1,
      enabledResourcesCount: 0,
    })
    await bench.call('PUT', `${resources}/-x`, { enabled: true, webSocketUpgradeAllowed: 'true', description: '' })
    expect(decides()).toMatchObject([{ resources: [{ path: '/x', enabled: true, subPaths: true, websocketUpgradeAllowed: true }] }])
    expect((await bench.call('GET', `${resources}/-x`)).json()).toHaveProperty('description', '')
    expect((await bench.call('PUT', `${resources}/-x`, { enabled: 'perhaps' })).status).toBe(400)
  })

  it('are checked as the connector checks them, and refused twice', async () => {
    await bench.call('POST', resources, { id: '/x' })
    expect((await bench.call('POST', resources, { id: '/x' })).status).toBe(409)
    expect((await bench.call('POST', resources, { id: 'x' })).status).toBe(400)
    expect((await bench.call('POST', resources, { id: '/y?q' })).status).toBe(400)
    expect((await bench.call('POST', `${mappings}/nobody:1/resources`, { id: '/x' })).status).toBe(404)
    expect((await bench.call('DELETE', resources)).status).toBe(204)
    expect((await bench.call('GET', resources)).json()).toEqual([])
  })

  it('keep a mapping from becoming something that has no use for them', async () => {
    await bench.call('POST', resources, { id: '/x' })
    const path = `${mappings}/s4.virtual:443`
    expect((await bench.call('PUT', path, { ...https, protocol: 'TCPS', authenticationMode: 'NONE' })).status).toBe(400)
    expect((await bench.call('PUT', path, { ...https, protocol: 'HTTP', authenticationMode: 'KERBEROS' })).status).toBe(204)
    expect(decides()).toMatchObject([{ resources: [{ path: '/x' }] }])
  })

  it('are functions in RFC mappings', async () => {
    await bench.call('POST', mappings, rfc)
    const functions = `${mappings}/erp.virtual:sapgw00/resources`
    expect((await bench.call('POST', functions, { id: 'BAPI_USER_GET', enabled: true, exactMatchOnly: true })).status).toBe(201)
    expect((await bench.call('POST', functions, { id: 'Z_', enabled: true })).status).toBe(201)
    expect(decides()[1]).toMatchObject({
      functions: [
        { name: 'BAPI_USER_GET', prefix: false },
        { name: 'Z_', prefix: true },
      ],
    })
  })
})

describe('lists of clients and users', () => {
  const mapping = `${mappings}/erp.virtual:sapgw00`
  beforeEach(() => bench.call('POST', mappings, rfc))

  it('allowed clients are replaced by POST, grow by PATCH, and go one by one or together', async () => {
    const path = `${mapping}/allowedClients`
    expect((await bench.call('GET', path)).json()).toEqual([])
    const replaced = await bench.call('POST', path, ['100', '200', '100'])
    expect([replaced.status, new URL(String(replaced.headers['location'])).pathname]).toEqual([201, path])
    expect((await bench.call('PATCH', path, ['200', '300'])).status).toBe(204)
    expect((await bench.call('GET', path)).json()).toEqual(['100', '200', '300'])
    expect(decides()).toMatchObject([{ allowedClients: ['100', '200', '300'] }])
    expect((await bench.call('DELETE', `${path}/200`)).status).toBe(204)
    expect((await bench.call('DELETE', `${path}/200`)).status).toBe(404)
    expect((await bench.call('GET', mapping)).json().allowedClients).toEqual(['100', '300'])
    expect((await bench.call('POST', path, ['1000'])).status).toBe(400)
    expect((await bench.call('DELETE', path)).status).toBe(204)
    expect((await bench.call('GET', path)).json()).toEqual([])
  })

  it('blocked users do the same', async () => {
    const path = `${mapping}/blockedClientUsers`
    const jane = { client: '100', user: 'JANE' }
    const joe = { client: '200', user: 'JOE' }
    expect((await bench.call('POST', path, [jane])).status).toBe(201)
    expect((await bench.call('PATCH', path, [jane, joe])).status).toBe(204)
    expect((await bench.call('GET', path)).json()).toEqual([jane, joe])
    expect(decides()).toMatchObject([{ blockedUsers: [jane, joe] }])
    expect((await bench.call('DELETE', `${path}/100:JANE`)).status).toBe(204)
    expect((await bench.call('GET', mapping)).json().blacklistedUsers).toEqual([joe])
    expect((await bench.call('POST', path, [{ client: '100' }])).status).toBe(400)
  })

  it('are for RFC alone', async () => {
    await bench.call('POST', mappings, https)
    expect((await bench.call('POST', `${mappings}/s4.virtual:443/allowedClients`, ['100'])).status).toBe(400)
    expect((await bench.call('POST', mappings, { ...https, virtualHost: 'x', allowedClients: ['100'] })).status).toBe(400)
  })

  it('are refused, as functions are, where nothing can be read and they would decide nothing', async () => {
    const snc = { ...rfc, virtualHost: 'snc', virtualPort: 'sapgw00s', localPort: 'sapgw00s', protocol: 'RFCS', sncPartnerName: 'p:CN=ERP' }
    const webSocket = { ...https, virtualHost: 'ws', protocol: 'RFCWS', authenticationMode: 'NONE' }
    for (const given of [snc, webSocket]) {
      const path = `${mappings}/${given.virtualHost}:${given.virtualPort}`
      const jane = { client: '100', user: 'JANE' }
      expect((await bench.call('POST', mappings, { ...given, allowedClients: ['100'] })).status).toBe(400)
      expect((await bench.call('POST', mappings, { ...given, blacklistedUsers: [jane] })).status).toBe(400)
      expect((await bench.call('POST', mappings, given)).status).toBe(201)
      expect((await bench.call('POST', `${path}/allowedClients`, ['100'])).status).toBe(400)
      expect((await bench.call('PATCH', `${path}/blockedClientUsers`, [jane])).status).toBe(400)
      const answer = await bench.call('POST', `${path}/resources`, { id: 'BAPI_USER_GET', enabled: true })
      expect([answer.status, answer.json().message]).toEqual([400, expect.stringContaining('cannot be read')])
      expect((await bench.call('GET', path)).json()).toMatchObject({ allowedClients: [], blacklistedUsers: [], totalResourcesCount: 0 })
    }
  })
})

describe('domains of cookies', () => {
  const path = `${base}/domainMappings`

  it('CC-169 are made, renamed by the old internal domain, and deleted; a single one cannot be read', async () => {
    const created = await bench.call('POST', path, { virtualDomain: '.cloud.example', internalDomain: '.intranet.corp' })
    expect([created.status, created.body, created.headers['location']]).toEqual([
      201,
      '',
      `https://127.0.0.1:${bench.port}${path}/.intranet.corp`,
    ])
    expect((await follow(created.headers['location'])).status).toBe(405)
    expect((await bench.call('GET', path)).json()).toEqual([
      { virtualDomain: '.cloud.example', internalDomain: '.intranet.corp', _links: { self: { href: created.headers['location'] } } },
    ])
    expect((await bench.call('POST', path, { virtualDomain: 'x', internalDomain: '.Intranet.corp' })).status).toBe(409)
    expect((await bench.call('PUT', `${path}/.intranet.corp`, { virtualDomain: 'v', internalDomain: 'i' })).status).toBe(204)
    expect(bench.rendered('demo').cookieDomains).toEqual([{ virtual: 'v', internal: 'i' }])
    expect((await bench.call('PUT', `${path}/.intranet.corp`, { virtualDomain: 'v', internalDomain: 'i' })).status).toBe(404)
    expect((await bench.call('POST', path, { virtualDomain: 'no domain', internalDomain: 'x' })).status).toBe(400)
    expect((await bench.call('DELETE', `${path}/i`)).status).toBe(204)
    expect((await bench.call('GET', path)).json()).toEqual([])
  })
})

describe('whoever may not', () => {
  it('finds nothing of an unknown subaccount', async () => {
    for (const path of ['systemMappings', 'domainMappings', 'systemMappings/a:1/resources', 'systemMappings/a:1/allowedClients']) {
      const answer = await bench.call('GET', `/api/v1/configuration/subaccounts/${region}/other/${path}`)
      expect([answer.status, answer.json()]).toEqual([
        404,
        { type: 'NOT_FOUND', message: `Subaccount with value 'other@${region}' does not exist` },
      ])
    }
  })

  it('changes nothing while another user has the subaccount open', async () => {
    lockedBy = 'jane'
    const answer = await bench.call('POST', mappings, https)
    expect([answer.status, answer.json().type]).toEqual([409, 'ILLEGAL_STATE'])
    lockedBy = undefined
    expect((await bench.call('POST', mappings, https)).status).toBe(201)
  })

  it('changes nothing in a managed subaccount without being administrator, and reads all', async () => {
    await bench.expose({ regionHost: region, subaccount: 'managed', isManaged: true })
    const path = `/api/v1/configuration/subaccounts/${region}/managed/systemMappings`
    for (const as of ['sccassocadmin', 'sccsubadmin']) {
      expect((await bench.call('POST', path, https, { as })).status).toBe(403)
      expect((await bench.call('GET', path, undefined, { as })).status).toBe(200)
    }
    expect((await bench.call('POST', path, https)).status).toBe(201)
    expect((await bench.call('POST', mappings, https, { as: 'sccsubadmin' })).status).toBe(201)
  })
})

it('CC-175 whatever is refused says of which type and why', async () => {
  const refused = [
    await bench.call('GET', '/api/v1/configuration/nothing'),
    await bench.call('GET', `${mappings}/a:1`),
    await bench.call('PATCH', mappings, {}),
    await bench.call('POST', mappings, 'x'.repeat(2_000_000)),
    await bench.call('POST', mappings, https, { headers: { 'content-type': 'text/plain' } }),
    await bench.call('POST', mappings, {}),
    await bench.call('POST', mappings, https, { as: 'sccdisplay' }),
  ]
  expect(refused.map(({ status }) => status)).toEqual([404, 404, 405, 413, 415, 400, 403])
  for (const answer of refused)
    expect(answer.json()).toEqual({ type: expect.stringMatching(/^[A-Z_]+$/), message: expect.stringMatching(/.{5}/) })
})
