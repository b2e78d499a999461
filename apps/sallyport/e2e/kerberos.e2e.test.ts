import { writeFileSync } from 'node:fs'
import { type Httpd, type Kdc, skipUnless, skipWithoutKerberosPeer, startKdc, startKerberosBackend } from '@sallyport/real-backends'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeConfiguration } from './company.ts'
import { createInstallation, type Installation } from './installation.ts'

const programs = ['curl', 'krb5kdc', 'kadmin.local', 'kdb5_ldap_util', 'kinit', 'kvno', 'slapd', 'ldapmodify', 'apache2']

describe.skipIf(skipUnless(...programs) || skipWithoutKerberosPeer())(
  'tickets from application to backend, in processes of their own',
  () => {
    let stack: Installation
    let kdc: Kdc
    let backend: Httpd

    beforeAll(async () => {
      kdc = await startKdc({
        commands: [
          'addprinc -randkey +ok_to_auth_as_delegate svc-connector',
          'addprinc -randkey HTTP/localhost',
          'addprinc -pw jane jane',
          'addprinc -pw john john',
        ],
        delegation: { 'svc-connector': ['HTTP/localhost'] },
      })
      backend = await startKerberosBackend(kdc, await kdc.keytab('HTTP/localhost'))
      stack = await createInstallation()
      writeFileSync(stack.file('service.keytab'), await kdc.keytab('svc-connector'), { mode: 0o600 })
      writeConfiguration(
        stack.file('sallyport.yaml'),
        `version: 1
subaccounts:
  - id: demo
    users: [{ name: jane@acme.test }, { name: john@acme.test }, { name: max@acme.test }]
connectors:
  - trust: { automatic: true }
    kerberos:
      realm: ${kdc.realm}
      kdcHosts: ["${kdc.host}:${kdc.port}"]
      serviceUser: svc-connector
      keytab: { file: service.keytab }
    mappings:
      - virtual: web.demo:80
        internal: http://localhost:${backend.port}
        principalType: KERBEROS
        resources: [{ path: /, subPaths: true }]
`,
      )
      await stack.dev()
    }, 90_000)
    afterAll(async () => {
      await stack?.[Symbol.asyncDispose]()
      await backend?.stop()
      await kdc?.stop()
    })

    /** Whom the backend has logged on, or the answer. */
    const loggedOn = async (user: string): Promise<string> => {
      const issued = async (words: readonly string[]): Promise<string> =>
        (await stack.run(['token', 'issue', '--raw', ...words])).stdout.trim()
      const tokens = await Promise.all([issued(['--client', 'connectivity']), issued(['--user', user])])
      const headers = ['Proxy-Authorization', 'SAP-Connectivity-Authentication'].flatMap((name, at) => [
        '-H',
        `${name}: Bearer ${tokens[at]}`,
      ])
      const proxy = ['--noproxy', '', '--proxy', `http://localhost:${stack.port('proxyHttp')}`]
      const { stdout } = await stack.program('curl', [
        '-sS',
        ...proxy,
        '-w',
        '\n%{http_code} %header{x-remote-user}',
        ...headers,
        'http://web.demo:80/',
      ])
      const end = stdout.slice(stdout.lastIndexOf('\n') + 1)
      return end.startsWith('200 ') ? end.slice(4) : stdout
    }

    it('PP-047 the backend sees the user of the token, and one whom the KDC does not know is refused', async () => {
      expect(await loggedOn('jane@acme.test')).toBe('jane@ACME.TEST')
      expect(await loggedOn('john@acme.test')).toBe('john@ACME.TEST')
      const refused = await loggedOn('max@acme.test')
      expect(refused).toMatch(
        /^Unable to generate authorization token for user max@acme\.test on system web\.demo:80: the KDC does not know the user\n/,
      )
      expect(refused).toContain('\n500 ')
    })
  },
)
