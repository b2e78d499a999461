import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** PEM texts of a certificate and its key. */
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

/**
 * A certificate authority for tests, made by the openssl program: independent of our own X.509 code, so that both check each other.
 * `subject` is an openssl subject such as `/O=Test/CN=Test CA`.
 */
export function createTestCa(options: { readonly subject?: string; readonly keyType?: 'ec' | 'rsa' } = {}): TestCa {
  const key = newKey(options.keyType ?? 'ec')
  const certificate = inFolder((folder) => {
    writeFileSync(join(folder, 'key.pem'), key)
    openssl(folder, [
      'req',
      '-x509',
      '-key',
      'key.pem',
      '-out',
      'ca.pem',
      '-days',
      '30',
      '-subj',
      options.subject ?? '/O=Test/CN=Test CA',
      '-addext',
      'basicConstraints=critical,CA:TRUE',
      '-addext',
      'keyUsage=critical,keyCertSign,cRLSign',
    ])
    return readFileSync(join(folder, 'ca.pem'), 'utf8')
  })
  return {
    certificate,
    key,
    issue({ subject, names = ['localhost', '127.0.0.1'], days = 10, keyType = 'ec' }) {
      const leafKey = newKey(keyType)
      const leaf = inFolder((folder) => {
        for (const [file, text] of [
          ['ca.pem', certificate],
          ['ca.key', key],
          ['key.pem', leafKey],
        ] as const)
          writeFileSync(join(folder, file), text)
        const alternatives = names.map((name) => (/^[\d.]+$|:/.test(name) ? `IP:${name}` : `DNS:${name}`)).join(',')
        const extensions = [
          'basicConstraints=CA:FALSE',
          'extendedKeyUsage=serverAuth,clientAuth',
          ...(alternatives === '' ? [] : [`subjectAltName=${alternatives}`]),
        ]
        writeFileSync(join(folder, 'ext.cnf'), extensions.join('\n'))
        openssl(folder, ['req', '-new', '-key', 'key.pem', '-out', 'leaf.csr', '-subj', subject])
        openssl(folder, [
          'x509',
          '-req',
          '-in',
          'leaf.csr',
          '-CA',
          'ca.pem',
          '-CAkey',
          'ca.key',
          '-CAcreateserial',
          '-days',
          String(days),
          '-extfile',
          'ext.cnf',
          '-out',
          'leaf.pem',
        ])
        return readFileSync(join(folder, 'leaf.pem'), 'utf8')
      })
      return { certificate: leaf, key: leafKey }
    },
  }
}

function newKey(type: 'ec' | 'rsa'): string {
  const option =
    type === 'ec'
      ? ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
      : ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048']
  return execFileSync('openssl', ['genpkey', ...option], { stdio: ['ignore', 'pipe', 'ignore'] }).toString()
}

function openssl(folder: string, args: readonly string[]): void {
  execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
}

function inFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-test-ca-'))
  try {
    return work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
