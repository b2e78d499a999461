import { generateKeyPairSync } from 'node:crypto'
import { opensslIsThere, signsWithOpenssl } from './openssl-authority.ts'
import { signsWithOwnCode } from './own-authority.ts'

/** PEM texts of a certificate and its key (PKCS #8). */
export interface TestIdentity {
  readonly certificate: string
  readonly key: string
}

export interface TestCa extends TestIdentity {
  /** Issues a certificate for servers and clients. `names` become DNS or IP alternative names; the default is localhost and 127.0.0.1. */
  issue(options: {
    readonly subject: string
    readonly names?: readonly string[]
    readonly days?: number
    readonly keyType?: 'ec' | 'rsa'
  }): TestIdentity
}

/** Who writes and signs the certificates; keys and results are PEM texts, subjects are openssl's. */
export interface SignsForTests {
  selfSigned(wish: { readonly key: string; readonly subject: string; readonly days: number }): string
  issued(wish: {
    readonly key: string
    readonly subject: string
    readonly days: number
    readonly names: readonly ({ readonly dns: string } | { readonly ip: string })[]
    readonly authority: TestIdentity
  }): string
}

/**
 * A certificate authority for tests. The openssl program signs where it is installed, because it is independent of our own
 * X.509 code; elsewhere our own code does. `subject` is an openssl subject such as `/O=Test/CN=Test CA`.
 */
export function createTestCa(
  options: { readonly subject?: string; readonly keyType?: 'ec' | 'rsa'; readonly signs?: SignsForTests } = {},
): TestCa {
  const signs = options.signs ?? (opensslIsThere() ? signsWithOpenssl : signsWithOwnCode)
  const key = newKey(options.keyType ?? 'ec')
  const certificate = signs.selfSigned({ key, subject: options.subject ?? '/O=Test/CN=Test CA', days: 30 })
  return {
    certificate,
    key,
    issue({ subject, names = ['localhost', '127.0.0.1'], days = 10, keyType = 'ec' }) {
      const leafKey = newKey(keyType)
      const leafNames = names.map((name) => (/^[\d.]+$|:/.test(name) ? { ip: name } : { dns: name }))
      return {
        certificate: signs.issued({ key: leafKey, subject, days, names: leafNames, authority: { certificate, key } }),
        key: leafKey,
      }
    },
  }
}

function newKey(type: 'ec' | 'rsa'): string {
  const { privateKey } =
    type === 'ec' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('rsa', { modulusLength: 2048 })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}
