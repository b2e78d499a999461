import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SignsForTests } from './test-ca.ts'

/** Whether the openssl program is there; with `REQUIRE_REAL=1` its absence is a failure. */
export function opensslIsThere(): boolean {
  if (spawnSync('openssl', ['version']).status === 0) return true
  if (process.env['REQUIRE_REAL'] === '1') throw new Error('the openssl program is required and not there')
  return false
}

/** Certificates by the openssl program: independent of our own X.509 code, so that both check each other. */
export const signsWithOpenssl: SignsForTests = {
  selfSigned({ key, subject, days }) {
    return inFolder((folder) => {
      writeFileSync(join(folder, 'key.pem'), key)
      const extensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign']
      const request = ['req', '-x509', '-key', 'key.pem', '-out', 'ca.pem', '-days', String(days), '-subj', subject]
      openssl(folder, [...request, ...extensions.flatMap((extension) => ['-addext', extension])])
      return readFileSync(join(folder, 'ca.pem'), 'utf8')
    })
  },
  issued({ key, subject, days, names, authority }) {
    return inFolder((folder) => {
      const alternatives = names.map((name) => ('ip' in name ? `IP:${name.ip}` : `DNS:${name.dns}`)).join(',')
      const extensions = ['basicConstraints=CA:FALSE', 'extendedKeyUsage=serverAuth,clientAuth']
      if (alternatives !== '') extensions.push(`subjectAltName=${alternatives}`)
      for (const [file, text] of [
        ['ca.pem', authority.certificate],
        ['ca.key', authority.key],
        ['key.pem', key],
        ['ext.cnf', extensions.join('\n')],
      ] as const)
        writeFileSync(join(folder, file), text)
      openssl(folder, ['req', '-new', '-key', 'key.pem', '-out', 'leaf.csr', '-subj', subject])
      const signer = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial']
      openssl(folder, ['x509', '-req', '-in', 'leaf.csr', ...signer, '-days', String(days), '-extfile', 'ext.cnf', '-out', 'leaf.pem'])
      return readFileSync(join(folder, 'leaf.pem'), 'utf8')
    })
  },
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
