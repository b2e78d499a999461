import { formatPem } from '@sallyport/x509'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Whether the program is there; with `REQUIRE_REAL=1` its absence is a failure. */
export const opensslIsMissing: boolean = spawnSync('openssl', ['version']).status !== 0
if (opensslIsMissing && process.env['REQUIRE_REAL'] === '1') throw new Error('the openssl program is required and not there')

/** What the program says about a certificate. */
export interface ShownCertificate {
  /** RFC 2253, UTF-8. */
  readonly subject: string
  readonly issuer: string
  readonly serial: string
  readonly notBeforeMs: number
  readonly notAfterMs: number
  /** Everything, with white space folded. */
  readonly text: string
}

/** Reads a DER certificate with the program. */
export function showCertificate(certificate: Buffer): ShownCertificate {
  const options = [
    'x509',
    '-noout',
    '-text',
    '-subject',
    '-issuer',
    '-serial',
    '-dates',
    '-dateopt',
    'iso_8601',
    '-nameopt',
    'RFC2253,utf8,-esc_msb',
  ]
  const text = openssl(options, formatPem('CERTIFICATE', certificate))
  const line = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(text)?.[1] ?? ''
  const time = (name: string): number => Date.parse(line(name).replace(' ', 'T'))
  return {
    subject: line('subject'),
    issuer: line('issuer'),
    serial: line('serial'),
    notBeforeMs: time('notBefore'),
    notAfterMs: time('notAfter'),
    text: text.replaceAll(/\s+/g, ' '),
  }
}

/** What the program says about a DER request, after verifying its signature. */
export function showRequest(request: Buffer): string {
  return openssl(['req', '-verify', '-noout', '-text', '-nameopt', 'RFC2253'], formatPem('CERTIFICATE REQUEST', request)).replaceAll(
    /\s+/g,
    ' ',
  )
}

/** Lets the program verify a certificate as that of a TLS client at a point of time; returns what it prints. */
export function verifyClient(certificate: Buffer, authority: Buffer, atMs: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-pp-'))
  try {
    writeFileSync(join(folder, 'ca.pem'), formatPem('CERTIFICATE', authority))
    writeFileSync(join(folder, 'user.pem'), formatPem('CERTIFICATE', certificate))
    const at = String(Math.floor(atMs / 1000))
    const options = [
      'verify',
      '-x509_strict',
      '-check_ss_sig',
      '-purpose',
      'sslclient',
      '-attime',
      at,
      '-CAfile',
      join(folder, 'ca.pem'),
      join(folder, 'user.pem'),
    ]
    const { stdout, stderr } = spawnSync('openssl', options, { encoding: 'utf8' })
    return `${stdout}${stderr}`.replaceAll(folder, '')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function openssl(options: readonly string[], input: string): string {
  return execFileSync('openssl', options, { input, stdio: ['pipe', 'pipe', 'pipe'] }).toString()
}
