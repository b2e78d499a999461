import { describe, expect, it } from 'vitest'
import { credentialsOf, parseDestination, type RfcDestination } from './destination.ts'

const direct = { 'jco.client.ashost': 'ERP.virtual', 'jco.client.sysnr': '42' }
const common = {
  Name: 'ERP',
  Type: 'RFC',
  'jco.client.client': '800',
  'jco.client.user': 'jane',
  'jco.client.passwd': 's3cret',
  'jco.destination.proxy_type': 'OnPremise',
}
const parse = (properties: Readonly<Record<string, string>>): RfcDestination =>
  parseDestination({ ...common, ...properties }) as RfcDestination

describe('an RFC destination', () => {
  it('PR-059 has the defaults of JCo', () => {
    expect(parse({ 'jco.client.mshost': 'ms', 'jco.client.msserv': '3600' })).toMatchObject({
      type: 'RFC',
      server: { kind: 'message-server', service: '3600', group: 'PUBLIC' },
      authentication: 'CONFIGURED_USER',
      columnBased: false,
      network: 'LAN',
      delta: true,
      codePage: '1100',
      trace: false,
      callTimeoutMs: 0,
      repository: { checkIntervalMinutes: 0 },
      pool: { capacity: 1, peakLimit: 0, maxWaitMs: 30_000, expirationMs: 60_000, expirationCheckMs: 60_000, checkConnection: false },
    })
    expect(parse({ ...direct, 'jco.client.delta': '0', 'jco.client.serialization_format': 'columnBased' })).toMatchObject({
      delta: false,
      columnBased: true,
    })
  })

  it('PR-057 needs exactly one of ashost, mshost and wshost', () => {
    const invalid = expect.objectContaining({ code: 'DESTINATION_INVALID', message: expect.stringContaining('exactly one of') })
    const servers = [
      direct,
      { 'jco.client.mshost': 'ms', 'jco.client.r3name': 'ABC' },
      { 'jco.client.wshost': 'ws', 'jco.client.wsport': '44300' },
    ] as const
    for (const server of servers) expect(parse(server).type).toBe('RFC')
    expect(() => parse({})).toThrow(invalid)
    for (const [a, b] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ] as const)
      expect(() => parse({ ...servers[a], ...servers[b] })).toThrow(invalid)
    expect(() => parse({ ...servers[0], ...servers[1], ...servers[2] })).toThrow(invalid)
  })

  it('PR-058 takes two digits as sysnr, three as client, twelve characters as user, which become upper case', () => {
    const { server, logon } = parse(direct)
    expect([server, logon.client, logon.user]).toEqual([
      { kind: 'application-server', host: 'ERP.virtual', systemNumber: '42' },
      '800',
      'JANE',
    ])
    expect(credentialsOf({ ...common, ...direct })).toMatchObject({ kind: 'basic', user: 'JANE' })
    for (const [name, ...values] of [
      ['jco.client.sysnr', '4', '421', 'x1', ''],
      ['jco.client.client', '80', '8000', '8 0', ''],
      ['jco.client.user', 'THIRTEENCHARS'],
    ] as const) {
      for (const value of values) {
        expect(() => parse({ ...direct, [name]: value }), `${name}=${value}`).toThrow(
          expect.objectContaining({ code: 'DESTINATION_INVALID', message: expect.stringContaining(name) }),
        )
      }
    }
  })

  it('reads where and as whom it logs on', () => {
    const read = parse({
      ...direct,
      'jco.client.lang': 'en',
      'jco.client.cloud_connector_location_id': 'orlando',
      'jco.client.saprouter': '/H/router.test',
      'jco.client.snc_mode': '1',
      'jco.client.snc_partnername': 'p:CN=ERP',
      'jco.client.snc_qop': '9',
      'jco.destination.x.binding': 'soap',
      'jco.destination.x.soap_destination': 'ERP_SOAP',
      'jco.destination.x.call_timeout': '5000',
    })
    expect(read).toMatchObject({
      proxyType: 'OnPremise',
      locationId: 'orlando',
      logon: { language: 'EN' },
      saprouter: '/H/router.test',
      secureNetwork: { partnerName: 'p:CN=ERP', qualityOfProtection: '9', singleSignOn: true },
      binding: 'soap',
      soapDestination: 'ERP_SOAP',
      callTimeoutMs: 5000,
    })
    expect(parse({ ...direct, 'jco.destination.proxy_type': 'Local' }).proxyType).toBe('Internet')
    expect(parse({ 'jco.client.mshost': 'ms', 'jco.client.r3name': 'abc' }).server).toMatchObject({ systemId: 'ABC', service: 'sapmsABC' })
    const socket = { 'jco.client.wshost': 'ws', 'jco.client.wsport': '44300', 'jco.destination.x.binding': 'ws' }
    expect(parse(socket)).toMatchObject({ binding: 'node-rfc', server: { port: 44_300, pingPeriodSeconds: 300, pongTimeoutSeconds: 60 } })
    const propagated = { ...common, ...direct, 'jco.destination.auth_type': 'PrincipalPropagation' }
    expect(credentialsOf(propagated)).toEqual({ kind: 'principal' })
  })

  it('reads the pool, whose limit follows its capacity', () => {
    const pool = (properties: Readonly<Record<string, string>>): unknown =>
      parse({ ...direct, ...Object.fromEntries(Object.entries(properties).map(([name, value]) => [`jco.destination.${name}`, value])) })
        .pool
    expect(pool({ pool_capacity: '5' })).toMatchObject({ capacity: 5, peakLimit: 5 })
    expect(pool({ pool_capacity: '5', peak_limit: '2' })).toMatchObject({ capacity: 5, peakLimit: 5 })
    expect(pool({ pool_capacity: '5', peak_limit: '0' })).toMatchObject({ capacity: 5, peakLimit: 0 })
    expect(pool({ pool_capacity: '0' })).toMatchObject({ capacity: 0, peakLimit: 0 })
    expect(
      pool({ max_get_client_time: '7', expiration_time: '8', expiration_check_period: '9', pool_check_connection: '1' }),
    ).toMatchObject({
      maxWaitMs: 7,
      expirationMs: 8,
      expirationCheckMs: 9,
      checkConnection: true,
    })
  })

  it.each([
    [{ 'jco.destination.proxy_type': 'PrivateLink2' }, 'ProxyType'],
    [{ 'jco.destination.auth_type': 'SAML' }, 'jco.destination.auth_type'],
    [{ 'jco.destination.auth_type': 'PrincipalPropagation', 'jco.destination.proxy_type': 'Internet' }, 'OnPremise'],
    [{ 'jco.destination.auth_type': 'TechnicalUserPropagation' }, 'jco.client.tech_user_id'],
    [
      {
        'jco.destination.auth_type': 'TechnicalUserPropagation',
        'jco.client.tech_user_id': 'app',
        'jco.client.tech_user_secret': 's',
        'jco.client.tech_user_service_url': 'tokens',
      },
      'jco.client.tech_user_service_url',
    ],
    [{ 'jco.client.alias_user': 'jane.doe@acme.test' }, 'exclude each other'],
    [{ 'jco.client.passwd': 'x'.repeat(41) }, 'jco.client.passwd'],
    [{ 'jco.client.lang': 'eng' }, 'jco.client.lang'],
    [{ 'jco.client.tls_client_certificate_logon': '1' }, 'jco.client.wshost'],
    [{ 'jco.client.extid_type': 'UN' }, 'jco.client.extid_data'],
    [{ 'jco.client.snc_mode': '1' }, 'jco.client.snc_partnername'],
    [{ 'jco.client.snc_qop': '4' }, 'jco.client.snc_qop'],
    [{ 'jco.client.trace': 'yes' }, 'jco.client.trace'],
    [{ 'jco.client.codepage': '110' }, 'jco.client.codepage'],
    [{ 'jco.client.network': 'WLAN' }, 'jco.client.network'],
    [{ 'jco.client.saprouter': 'router.test' }, 'jco.client.saprouter'],
    [{ 'jco.destination.pool_capacity': '-1' }, 'jco.destination.pool_capacity'],
    [{ 'jco.destination.expiration_check_period': '0' }, 'jco.destination.expiration_check_period'],
    [{ 'jco.destination.repository.user': 'META' }, 'jco.destination.repository.passwd'],
    [{ 'jco.destination.x.binding': 'jco' }, 'jco.destination.x.binding'],
    [{ 'jco.destination.x.binding': 'ws' }, 'jco.client.wshost'],
  ])('names the property that is wrong: %j', (properties, name) => {
    expect(() => parse({ ...direct, ...properties })).toThrow(
      expect.objectContaining({ code: 'DESTINATION_INVALID', message: expect.stringContaining(name) }),
    )
  })

  it.each([
    [{ 'jco.client.mshost': 'ms' }, 'jco.client.r3name or jco.client.msserv'],
    [{ 'jco.client.mshost': 'ms', 'jco.client.r3name': 'ABC', 'jco.client.msserv': '3600' }, 'not both'],
    [{ 'jco.client.mshost': 'ms', 'jco.client.r3name': 'ABCD' }, 'jco.client.r3name'],
    [{ 'jco.client.mshost': 'ms', 'jco.client.msserv': '99999' }, 'jco.client.msserv'],
    [{ 'jco.client.wshost': 'ws' }, 'jco.client.wsport'],
    [{ 'jco.client.wshost': 'ws', 'jco.client.wsport': '443', 'jco.destination.ws_ping_period': '5' }, 'jco.destination.ws_ping_period'],
    [{ 'jco.client.wshost': 'a b', 'jco.client.wsport': '443' }, 'jco.client.wshost'],
  ])('names what a server lacks: %j', (properties, what) => {
    expect(() => parse(properties)).toThrow(
      expect.objectContaining({ code: 'DESTINATION_INVALID', message: expect.stringContaining(what) }),
    )
  })

  it('lets a password into no error and no JSON', () => {
    const { logon, repository } = parse({
      ...direct,
      'jco.client.mysapsso2': 'AjExMD-ticket',
      'jco.destination.repository.user': 'META',
      'jco.destination.repository.passwd': 'meta-s3cret',
    })
    expect(JSON.stringify({ logon, repository })).not.toMatch(/AjExMD|s3cret/)
    expect(() => parse({ ...direct, 'jco.client.passwd': 'p'.repeat(41) })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('pppp') }),
    )
  })
})
