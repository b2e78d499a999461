import { X509Certificate } from 'node:crypto'
import { createHttpBackend, createTestCa, createTestIssuer, type HttpBackend } from '@sallyport/test-fixtures'
import type { SynchronisedIssuer } from '@sallyport/principal-propagation'
import type { WirePrincipal } from '@sallyport/tunnel'
import { afterEach, describe, expect, it } from 'vitest'
import { type ConnectorBench, mappingTo, startConnectorBench, until } from './connector-bench.ts'

const root = createTestCa({ subject: '/O=Test/CN=Root' })
const userCa = createTestCa({ subject: '/O=Test/CN=User CA' })
const systemIdentity = root.issue({ subject: '/CN=connector system', names: [] })
const server = root.issue({ subject: '/CN=backend' })
const issuer = createTestIssuer()
const trusted: SynchronisedIssuer = { issuer: issuer.issuer, name: 'Test', type: 'OAUTH2', keys: issuer.keys }

const files = {
  'root.pem': root.certificate,
  'ca.pem': userCa.certificate,
  'ca.key': userCa.key,
  'system.pem': systemIdentity.certificate,
  'system.key': systemIdentity.key,
}
const system = { systemCertificate: { certificate: { file: 'system.pem' }, key: { file: 'system.key' } } }
const ca = { certificate: { file: 'ca.pem' }, key: { file: 'ca.key' } }
const common = { backendTrust: { authorities: [{ file: 'root.pem' }] }, principalPropagation: { ca } }

const jane: WirePrincipal = { kind: 'business', token: issuer.user('jane@acme.test') }
const john: WirePrincipal = { kind: 'business', token: issuer.user('john@acme.test') }

let backend: HttpBackend
let bench: ConnectorBench
afterEach(async () => {
  await bench[Symbol.asyncDispose]()
  await backend[Symbol.asyncDispose]()
})

async function start(
  principalType: string,
  options: {
    readonly mutual?: boolean
    readonly connector?: Readonly<Record<string, unknown>>
    readonly issuers?: readonly SynchronisedIssuer[]
  } = {},
): Promise<void> {
  const { connector = {}, issuers = [trusted], mutual = true } = options
  backend = await createHttpBackend({
    tls: { certificate: server.certificate, key: server.key, ...(mutual ? { clientCa: root.certificate } : {}) },
    answer: () => ({ body: 'ok' }),
  })
  bench = await startConnectorBench({
    connector: { ...common, ...system, ...connector, mappings: [mappingTo(backend.url, { principalType })] },
    files,
    issuers,
    wantsEvents: true,
  })
}
/** The certificate headers that the backend got with its last request. */
const sent = (): readonly string[] => {
  const raw = backend.requests.at(-1)?.rawHeaders ?? []
  return raw.filter((_, at) => at % 2 === 1 && raw[at - 1]?.toUpperCase() === 'SSL_CLIENT_CERT')
}
const subjectOf = (header: string | undefined): string => new X509Certificate(Buffer.from(header ?? '', 'base64')).subject

describe('emission by principal type', () => {
  it('PP-035 X509_GENERAL sends the user certificate, and nothing without a token', async () => {
    await start('X509_GENERAL')
    expect((await bench.request({ principal: jane })).status).toBe(200)
    expect(sent()).toHaveLength(1)
    const certificate = new X509Certificate(Buffer.from(sent()[0] ?? '', 'base64'))
    expect(certificate.subject).toBe('CN=jane@acme.test')
    expect(certificate.verify(new X509Certificate(userCa.certificate).publicKey)).toBe(true)
    await bench.request({})
    expect(sent()).toEqual([])
  })

  it('PP-036 X509_RESTRICTED sends the user certificate, and an empty header without a token', async () => {
    await start('X509_RESTRICTED')
    await bench.request({ principal: jane })
    expect(subjectOf(sent()[0])).toBe('CN=jane@acme.test')
    await bench.request({})
    expect(sent()).toEqual([''])
  })

  it('PP-037 NONE never sends the header', async () => {
    await start('NONE')
    for (const more of [{}, { principal: jane }]) {
      expect((await bench.request(more)).status).toBe(200)
      expect(sent()).toEqual([])
    }
  })

  it('PP-037 NONE_RESTRICTED always sends it empty', async () => {
    await start('NONE_RESTRICTED')
    for (const more of [{}, { principal: jane }]) {
      expect((await bench.request(more)).status).toBe(200)
      expect(sent()).toEqual([''])
    }
  })

  it('KERBEROS without a service user logs nobody on: a token is refused, and a request without one carries no credential', async () => {
    await start('KERBEROS')
    expect(await bench.request({ principal: jane })).toMatchObject({
      status: 500,
      body: expect.stringContaining('no Kerberos service user is configured'),
    })
    expect(backend.requests).toEqual([])
    expect((await bench.request({})).status).toBe(200)
    expect(sent()).toEqual([])
  })

  it.each(['X509_GENERAL', 'X509_RESTRICTED', 'NONE', 'NONE_RESTRICTED'])(
    'PP-038 with %s an application cannot send the header itself',
    async (principalType) => {
      await start(principalType)
      for (const more of [{}, { principal: jane }]) {
        await bench.request({ ...more, headers: { SSL_CLIENT_CERT: 'forged', 'ssl-client-cert': 'forged' } })
        expect(backend.requests.at(-1)?.rawHeaders.join('\n')).not.toContain('forged')
        expect(sent().length).toBeLessThanOrEqual(1)
      }
    },
  )

  it('PP-039 CC-104 the TLS client certificate is the system certificate, never the user certificate', async () => {
    await start('X509_GENERAL')
    await bench.request({ principal: jane })
    expect(backend.requests[0]?.peer).toBe('connector system')
    expect(subjectOf(sent()[0])).toBe('CN=jane@acme.test')
  })

  it('PP-042 two users on one keep-alive connection get their own certificates, and nobody gets the one of another', async () => {
    await start('X509_RESTRICTED')
    const connection = bench.raw({ principal: jane })
    const exchange = async (): Promise<string> => {
      const before = backend.requests.length
      connection.write('GET / HTTP/1.1\r\nHost: s4.demo:443\r\n\r\n')
      await until(() => connection.text.split('HTTP/1.1 200').length - 1 > before)
      return sent()
        .map((header) => (header === '' ? '' : subjectOf(header)))
        .join()
    }
    expect(await exchange()).toBe('CN=jane@acme.test')
    connection.become(john)
    expect(await exchange()).toBe('CN=john@acme.test')
    connection.become(null)
    expect(await exchange()).toBe('')
    connection.become(jane)
    expect(await exchange()).toBe('CN=jane@acme.test')
    expect(backend.requests.map((request) => request.connection)).toEqual([1, 1, 1, 1])
  })

  it('applies a change of the principal to the request behind it, also when requests are pipelined', async () => {
    await start('X509_RESTRICTED')
    const connection = bench.raw({ principal: jane })
    const request = 'POST / HTTP/1.1\r\nHost: s4.demo:443\r\nContent-Length: 1\r\n\r\nx'
    connection.write(request)
    connection.become(john, 'corr-john')
    connection.write(request)
    await until(() => backend.requests.length === 2)
    const subjects = backend.requests.map(({ rawHeaders }) => subjectOf(rawHeaders[rawHeaders.indexOf('SSL_CLIENT_CERT') + 1]))
    expect(subjects).toEqual(['CN=jane@acme.test', 'CN=john@acme.test'])
    expect(bench.events.filter((event) => event.type === 'principal-issued').map((event) => event.correlationId)).toEqual([
      'corr-1',
      'corr-john',
    ])
  })

  it('gives a stream up when the principal changes within a request', async () => {
    await start('X509_RESTRICTED')
    for (const part of ['GET / HTTP/1.1\r\nHo', 'POST / HTTP/1.1\r\nHost: s4.demo:443\r\nContent-Length: 5\r\n\r\nx']) {
      const connection = bench.raw({ principal: jane })
      connection.write(part)
      connection.become(john)
      await until(() => connection.closed !== undefined)
      expect(connection.closed).toEqual({ kind: 'reset', by: 'peer', code: 'protocol' })
    }
  })
})

describe('mutual authentication', () => {
  const refusal =
    'Principal propagation forbidden for user jane@acme.test on system s4.demo:443, because the backend connection is not mutually authenticated.\n'

  it('PP-040 answers 502 when the backend does not ask for a client certificate, and sends it nothing', async () => {
    await start('X509_GENERAL', { mutual: false })
    const answer = await bench.request({ principal: jane })
    expect([answer.status, answer.body]).toEqual([502, refusal])
    expect(backend.requests).toEqual([])
  })

  it('PP-040 answers 502 when there is no system certificate', async () => {
    backend = await createHttpBackend({ tls: { certificate: server.certificate, key: server.key }, answer: () => ({ body: 'ok' }) })
    bench = await startConnectorBench({
      connector: { ...common, mappings: [mappingTo(backend.url, { principalType: 'X509_GENERAL' })] },
      files,
      issuers: [trusted],
    })
    const answer = await bench.request({ principal: jane })
    expect([answer.status, answer.body]).toEqual([502, refusal])
    expect(backend.requests).toEqual([])
    expect(bench.audit).toMatchObject([{ type: 'access-denied', user: 'jane@acme.test' }])
  })

  it('PP-041 calls without principal work on the same mapping and connection', async () => {
    await start('X509_GENERAL', { mutual: false })
    const connection = bench.raw({ principal: jane })
    connection.write('GET / HTTP/1.1\r\nHost: s4.demo:443\r\n\r\n')
    await until(() => connection.text.includes('502 Bad Gateway'))
    connection.become(null)
    connection.write('GET / HTTP/1.1\r\nHost: s4.demo:443\r\n\r\n')
    await until(() => connection.text.includes('HTTP/1.1 200'))
    expect(backend.requests).toHaveLength(1)
  })
})

describe('validation', () => {
  it('PP-011 a token with a broken signature is refused, and the backend sees nothing of it', async () => {
    await start('X509_GENERAL')
    const answer = await bench.request({ principal: { kind: 'business', token: `${jane.token.slice(0, -6)}AAAAAA` } })
    expect(answer.status).toBe(403)
    expect(answer.body).toMatch(/^SSO token validation failed/)
    expect(backend.requests).toEqual([])
    expect(bench.audit).toMatchObject([
      { type: 'access-denied', user: '(not verified)', message: expect.stringContaining('SSO token validation failed') },
    ])
  })

  it('PP-028 a variable of CN without value fails the request', async () => {
    await start('X509_GENERAL', { connector: { principalPropagation: { ca, subjectPattern: 'CN=${employee_number}' } } })
    const answer = await bench.request({ principal: jane })
    expect(answer.status).toBe(500)
    expect(answer.body).toMatch(/^Unable to generate authorization token for user jane@acme\.test on system s4\.demo:443/)
    expect(backend.requests).toEqual([])
  })

  it('fails without a CA, and issues again once there is one', async () => {
    await start('X509_GENERAL', { connector: { principalPropagation: {} } })
    const answer = await bench.request({ principal: jane })
    expect([answer.status, answer.body]).toEqual([
      500,
      expect.stringMatching(/^Unable to generate authorization token for user jane@acme\.test/),
    ])
    await bench.configure({ ...common, ...system, mappings: [mappingTo(backend.url, { principalType: 'X509_GENERAL' })] })
    expect((await bench.request({ principal: jane })).status).toBe(200)
  })

  it('applies changed rules to the next request', async () => {
    await start('X509_GENERAL')
    await bench.request({ principal: jane })
    const rules = [
      { when: { variable: 'user_type', operator: 'is', value: 'Technical' }, subject: 'CN=robot ${client_id}' },
      { subject: 'CN=${email},O=Acme' },
    ]
    await bench.configure({
      ...common,
      ...system,
      principalPropagation: { ca, rules },
      mappings: [mappingTo(backend.url, { principalType: 'X509_GENERAL' })],
    })
    await bench.request({ principal: jane })
    expect(subjectOf(sent()[0])).toBe('O=Acme\nCN=jane@acme.test')
    await bench.request({ principal: { kind: 'technical', token: issuer.technical() } })
    expect(subjectOf(sent()[0])).toBe('CN=robot sb-connectivity!b1')
  })

  it('PP-055 no token and no key appears in logs, events, audit entries or answers', async () => {
    await start('X509_GENERAL', { connector: { audit: { level: 'ALL' } } })
    const broken: WirePrincipal = { kind: 'business', token: `${john.token.slice(0, -6)}AAAAAA` }
    const answers = [
      await bench.request({ principal: jane }),
      await bench.request({ principal: broken }),
      await bench.request({ principal: jane, host: 'unknown' }),
    ]
    await backend[Symbol.asyncDispose]()
    answers.push(await bench.request({ principal: john }))
    expect(answers.map(({ status }) => status)).toEqual([200, 403, 403, 502])
    expect(bench.logged.length).toBeGreaterThan(0)
    const shown = JSON.stringify([bench.logged, bench.events, bench.audit, answers])
    expect(bench.events.length + bench.audit.length).toBeGreaterThan(5)
    for (const secret of [
      jane.token,
      broken.token,
      john.token,
      ...jane.token.split('.'),
      userCa.key.split('\n')[1] ?? '',
      systemIdentity.key.split('\n')[1] ?? '',
    ]) {
      expect(secret.length).toBeGreaterThan(20)
      expect(shown).not.toContain(secret)
    }
  })
})
