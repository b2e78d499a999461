import { X509Certificate } from 'node:crypto'
import { request } from 'node:https'
import { connect, type ConnectionOptions } from 'node:tls'
import { silentLogger } from '@sallyport/core'
import { createTestCa, type TestIdentity } from '@sallyport/test-fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { resetAccess } from '../src/index.ts'
import { type AdministrationBench, startAdministrationBench } from './administration-bench.ts'

const base = '/api/v1/configuration/connector'
const ui = `${base}/ui`
const certificates = '/api/private/v1/clientCertificates'
const silent = { write: () => {} }

let bench: AdministrationBench
beforeEach(async () => {
  bench = await startAdministrationBench({ haRole: 'master' })
  await bench.send('PUT', `${base}/authentication/basic`, {
    user: 'Administrator:manage',
    body: { oldPassword: 'manage', newPassword: 'new' },
  })
})
afterEach(() => bench[Symbol.asyncDispose]())

const restart = async (): Promise<void> => {
  await bench[Symbol.asyncDispose]()
  bench = await startAdministrationBench({ material: bench.material })
}

/** The suite and the certificate of a new connection; the reason when there is none. */
const handshake = (options: ConnectionOptions = {}): Promise<{ readonly suite: string; readonly certificate: X509Certificate } | string> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: bench.port, rejectUnauthorized: false, ...options }, () => {
      const { raw } = socket.getPeerCertificate()
      resolve({ suite: socket.getCipher().standardName, certificate: new X509Certificate(raw) })
      socket.destroy()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
  })

describe('cipher suites', () => {
  const suites = `${ui}/cipherSuites`
  const gcm128 = 'TLS_AES_128_GCM_SHA256'

  it('CC-127 one that is disabled is not negotiable, also after a restart, and comes back with the defaults', async () => {
    const only = { ciphers: gcm128, minVersion: 'TLSv1.3' } as const
    expect(await handshake(only)).toMatchObject({ suite: gcm128 })
    const enabled: readonly string[] = (await bench.call('GET', suites)).json()
    expect(
      (
        await bench.call(
          'POST',
          suites,
          enabled.filter((name) => name !== gcm128),
        )
      ).status,
    ).toBe(204)
    expect(await handshake(only)).toMatch(/HANDSHAKE_FAILURE/)
    await restart()
    expect(await handshake(only)).toMatch(/HANDSHAKE_FAILURE/)
    expect(await handshake()).toMatchObject({ suite: 'TLS_AES_256_GCM_SHA384' })
    await bench[Symbol.asyncDispose]()
    await resetAccess(bench.material, silent, 'reset-ciphers')
    bench = await startAdministrationBench({ material: bench.material })
    expect(await handshake(only)).toMatchObject({ suite: gcm128 })
    expect((await bench.call('GET', suites)).json()).toEqual(enabled)
  })

  it('a list is refused when it is empty, has unknown names, or leaves nobody able to connect', async () => {
    const refused = [[], ['TLS_AES_128_gcm_SHA256'], ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'TLS_RSA_WITH_AES_128_GCM_SHA256']]
    expect(new X509Certificate(bench.access.ownCertificate.certificate).publicKey.asymmetricKeyType).toBe('ec')
    for (const list of refused) expect((await bench.call('POST', suites, list)).status).toBe(400)
    expect(await handshake()).toMatchObject({ suite: 'TLS_AES_256_GCM_SHA384' })
  })

  it('all that there are are listed, weak ones only among them', async () => {
    const all: readonly string[] = (await bench.call('GET', '/api/v1/configuration/availableCipherSuites')).json()
    expect(all).toEqual(expect.arrayContaining([gcm128, 'TLS_RSA_WITH_AES_128_GCM_SHA256']))
    const described = (await bench.call('GET', '/api/private/v1/cipherSuites')).json()
    expect(described.find(({ name }: { readonly name: string }) => name === 'TLS_RSA_WITH_AES_128_GCM_SHA256')).toEqual({
      name: 'TLS_RSA_WITH_AES_128_GCM_SHA256',
      enabled: false,
      usableWithCertificate: false,
      assessment: 'weak',
    })
    await bench.call('POST', suites, [gcm128])
    expect((await bench.call('DELETE', suites)).status).toBe(204)
    expect((await bench.call('GET', suites)).json()).not.toContain('TLS_RSA_WITH_AES_128_GCM_SHA256')
  })
})

describe('the UI certificate', () => {
  const path = `${ui}/uiCertificate`

  it('is a generated one at first, and another from the next connection on', async () => {
    const first = (await bench.call('GET', path)).json()
    const wish = {
      type: 'selfsigned',
      keySize: 2048,
      subjectDN: 'CN=admin.acme.test,O=Acme',
      subjectAltNames: [{ type: 'DNS', value: 'admin.acme.test' }],
    }
    const made = await bench.call('POST', path, wish)
    expect(made.status).toBe(201)
    const shown = await handshake()
    if (typeof shown === 'string') throw new Error(shown)
    expect(shown.certificate.subjectAltName).toBe('DNS:admin.acme.test')
    await bench[Symbol.asyncDispose]()
    bench = await startAdministrationBench({ material: bench.material })
    expect(await handshake()).toMatchObject({ certificate: { fingerprint256: shown.certificate.fingerprint256 } })
    expect(first.subjectDN).not.toContain('Acme')
  })

  it('one that is stored and that TLS refuses gives way to the own one, and the log says so', async () => {
    const { editor, ownCertificate } = bench.access
    const { key } = createTestCa()
    await editor.change('a version of before', (settings) => ({
      ...settings,
      ui: { ...settings.ui, certificate: { current: { ...ownCertificate, key } } },
    }))
    await bench[Symbol.asyncDispose]()
    const errors: unknown[] = []
    const log = { ...silentLogger, error: (...line: unknown[]) => void errors.push(line) }
    bench = await startAdministrationBench({ material: bench.material, log })
    expect(await handshake()).toMatchObject({
      certificate: { fingerprint256: new X509Certificate(bench.identity.certificate).fingerprint256 },
    })
    expect(errors).toEqual([
      [{ reason: expect.stringContaining('key values mismatch') }, expect.stringContaining('shows its own certificate')],
    ])
  })
})

describe('client certificates', () => {
  const authority = createTestCa({ subject: '/CN=Client CA' })
  const stranger = createTestCa({ subject: '/CN=Other CA' }).issue({ subject: '/CN=Administrator', names: [] })
  const administrator = authority.issue({ subject: '/O=Acme/CN=Administrator', names: [] })
  const nobody = authority.issue({ subject: '/CN=nobody', names: [] })

  const enable = async (more: object = {}): Promise<void> => {
    const answer = await bench.call('PUT', certificates, {
      enabled: true,
      userAttribute: '2.5.4.3',
      allowed: [authority.certificate],
      ...more,
    })
    expect([answer.status, answer.body]).toEqual([204, ''])
    await restart()
  }
  const get = (own?: TestIdentity, auth?: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const proof = { ...(own === undefined ? {} : { cert: own.certificate, key: own.key }), ...(auth === undefined ? {} : { auth }) }
      const sent = request(
        { host: '127.0.0.1', port: bench.port, path: base, rejectUnauthorized: false, agent: false, ...proof },
        (answer) => {
          answer.resume()
          answer.on('end', () => resolve(answer.statusCode ?? 0))
        },
      )
      sent.on('error', reject).end()
    })

  it('CC-124 one of the listed authority logs on the user whom the attribute names, and nobody else', async () => {
    await enable()
    expect(await get(administrator)).toBe(200)
    expect(await get(nobody)).toBe(401)
    expect(await get(stranger)).toBe(401)
    expect(bench.audited.slice(-2)).toMatchObject([
      { type: 'log-on-refused', message: 'Log-on of user nobody from 127.0.0.1 was refused: the certificate names no known user' },
      { type: 'log-on-refused', user: '', message: expect.stringContaining('the certificate is not trusted') },
    ])
    for (let more = 0; more < 10; more++) await get(stranger)
    expect(bench.audited.filter(({ type }) => type === 'log-on-refused')).toHaveLength(5)
    await bench.call('PUT', certificates, { enabled: true, userAttribute: 'O', allowed: [authority.certificate] })
    await restart()
    expect(await get(administrator)).toBe(401)
  })

  it('CC-125 a password counts only with the fallback, and only without a certificate', async () => {
    await enable({ passwordFallback: false })
    expect(await get(undefined, 'Administrator:new')).toBe(401)
    expect(await get(administrator)).toBe(200)
    await enable({ passwordFallback: 'true' })
    expect(await get(undefined, 'Administrator:new')).toBe(200)
    expect(await get(nobody, 'Administrator:new')).toBe(401)
  })

  it('the log-on of our pages follows the same rule', async () => {
    const logOn = (): ReturnType<AdministrationBench['send']> =>
      bench.send('POST', '/api/private/v1/session', { body: { user: 'Administrator', password: 'new' } })
    expect((await logOn()).status).toBe(200)
    await enable({ passwordFallback: false })
    const refused = await logOn()
    expect([refused.status, refused.json().message, refused.headers['set-cookie']]).toEqual([401, 'a certificate is needed', undefined])
    await enable({ passwordFallback: true })
    expect((await logOn()).status).toBe(200)
  })

  it('CC-126 are switched off from outside', async () => {
    await enable({ passwordFallback: false })
    await bench[Symbol.asyncDispose]()
    await resetAccess(bench.material, silent, 'use-basic-authentication')
    bench = await startAdministrationBench({ material: bench.material })
    expect(await get(administrator)).toBe(401)
    expect(await get(undefined, 'Administrator:new')).toBe(200)
  })

  it('count from the next start on, and need an authority and a known attribute', async () => {
    for (const body of [
      { enabled: true, allowed: [] },
      { enabled: true, allowed: ['x'] },
      { enabled: true, allowed: [authority.certificate], userAttribute: '1.2.3' },
    ])
      expect((await bench.call('PUT', certificates, body)).status).toBe(400)
    await bench.call('PUT', certificates, { enabled: true, allowed: [authority.certificate] })
    expect(await get(administrator)).toBe(401)
    expect((await bench.call('GET', certificates)).json()).toMatchObject({ enabled: true, activeSinceStart: false, userAttribute: 'CN' })
  })
})

describe('security status', () => {
  const read = async (): Promise<Record<string, unknown>> => {
    const { general, overall, subaccounts } = (await bench.call('GET', '/api/private/v1/securityStatus')).json()
    const values = [...general, ...subaccounts.flatMap((each: { findings: unknown[] }) => each.findings)]
    return { overall, ...Object.fromEntries(values.map(({ area, value }: { area: string; value: string }) => [area, value])) }
  }

  it('CC-128 lists every area and what is set', async () => {
    await bench.expose({ regionHost: 'cloud', subaccount: 'own' })
    expect(await read()).toEqual({
      overall: 'Risk',
      uiCertificate: 'generated',
      cipherSuites: 'strong',
      backendTrustStore: 'listed',
      userAdministration: 'basic',
      cpicTrace: 'off',
      applicationAllowlist: 'all applications',
      tunnelTrafficTrace: 'off',
    })
    await bench.call('PATCH', `${base}/logAndTrace`, { cpicTraceLevel: 2 })
    await bench.call('PATCH', `${base}/logAndTrace/subaccounts/cloud/own`, { trafficTrace: true })
    await bench.call('POST', `${ui}/cipherSuites`, ['TLS_AES_128_GCM_SHA256', 'TLS_RSA_WITH_AES_128_GCM_SHA256'])
    const { editor, ownCertificate } = bench.access
    await editor.change('test', (settings) => ({ ...settings, ui: { ...settings.ui, certificate: { current: ownCertificate } } }))
    await bench.editor.change('test', (document) => ({ ...document, onPremises: { ...document.onPremises, trustAllBackends: true } }))
    expect(await read()).toMatchObject({
      uiCertificate: 'replaced',
      cipherSuites: '1 weak',
      backendTrustStore: 'all',
      cpicTrace: 'level 2',
      tunnelTrafficTrace: 'on',
    })
  })
})

describe('the audit log', () => {
  it('is told who changed what, without secrets', async () => {
    await bench.send('PUT', `${base}/authentication/basic`, { user: 'Administrator:new', body: { user: 'jane', password: 'new' } })
    await bench.call('POST', `${ui}/cipherSuites`, ['TLS_AES_128_GCM_SHA256'])
    const messages = bench.audited
      .filter(({ category, message }) => category !== undefined && !message.includes('HaRole'))
      .map(({ category, message }) => [category, message])
    expect(messages).toEqual([
      ['SCCUser', 'User installation changed parameter UserName from {} to "Administrator"'],
      ['SCCPassword', 'User installation changed Password'],
      ['SCCPassword', 'User Administrator changed Password'],
      ['SCCUser', 'User Administrator changed parameter UserName from "Administrator" to "jane"'],
      ['Configuration', 'User sccadmin changed parameter CipherSuites from {} to ["TLS_AES_128_GCM_SHA256"]'],
    ])
    expect(JSON.stringify(bench.audited)).not.toContain('hash of')
  })

  it('is told which certificates are trusted and shown, not only how many', async () => {
    const [one, other] = [createTestCa(), createTestCa()].map(({ certificate }) => certificate)
    const fingerprintOf = (pem = ''): string => new X509Certificate(pem).fingerprint256
    const told = async (work: Promise<{ readonly status: number }>): Promise<unknown> => {
      const before = bench.audited.length
      expect((await work).status).toBeLessThan(300)
      return bench.audited.slice(before).map(({ category, message }) => [category, message])
    }
    const trust = (certificate: string | undefined): Promise<unknown> =>
      told(bench.call('PUT', '/api/private/v1/ldap/trust', { mode: 'listed', certificates: [certificate] }))
    const allow = (certificate: string | undefined): Promise<unknown> =>
      told(bench.call('PUT', certificates, { enabled: true, allowed: [certificate] }))
    for (const [change, category] of [
      [trust, 'LDAPConfiguration'],
      [allow, 'Configuration'],
    ] as const) {
      await change(one)
      expect(await change(other)).toEqual([
        [category, expect.stringMatching(new RegExp(`from .*${fingerprintOf(one)}.* to .*${fingerprintOf(other)}`))],
      ])
    }
    const wish = { type: 'selfsigned', keySize: 2048, subjectDN: 'CN=admin.acme.test' }
    expect(await told(bench.call('POST', `${ui}/uiCertificate`, { ...wish, type: 'csr' }))).toEqual([
      ['UiCertificate', 'User sccadmin changed UiCertificateRequest'],
    ])
    const lines = await told(bench.call('POST', `${ui}/uiCertificate`, wish))
    const shown = fingerprintOf(bench.access.editor.settings.ui.certificate.current?.certificate)
    expect(lines).toEqual([['UiCertificate', `User sccadmin changed parameter UiCertificate from {} to "${shown}"`]])
  })
})
