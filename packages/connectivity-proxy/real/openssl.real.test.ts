import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PairedConnector } from '../conformance/cloud.ts'
import { type Rig, startRig } from '../conformance/rig.ts'

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    if (process.env['REQUIRE_REAL'] === '1') throw new Error('openssl is missing, and REQUIRE_REAL is set')
    process.stderr.write('skipped: openssl is not installed\n')
    return false
  }
}

describe.skipIf(!hasOpenssl())('openssl as the judge of issued certificates', () => {
  let rig: Rig
  let folder: string
  let paired: PairedConnector

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-openssl-'))
    rig = await startRig()
    paired = await rig.cloud.pair({ subaccount: '5a1d2f0e-7c1b-4c55-9d52-b3c9b8a4e0aa' })
    writeFileSync(join(folder, 'ca.pem'), paired.authorities)
    writeFileSync(join(folder, 'leaf.pem'), paired.certificate)
    writeFileSync(join(folder, 'leaf.key'), paired.key)
    writeFileSync(join(folder, 'server.pem'), rig.cloud.authority.serverMaterial(['proxy.example.org', '127.0.0.1']).certificate)
  })
  afterAll(async () => {
    await rig[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true })
  })

  function openssl(...args: string[]): string {
    return execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] }).toString()
  }

  it('accepts the certificate of a connector for clients, and for nothing else', () => {
    expect(openssl('verify', '-x509_strict', '-CAfile', 'ca.pem', '-purpose', 'sslclient', 'leaf.pem')).toContain('OK')
    expect(() => openssl('verify', '-CAfile', 'ca.pem', '-purpose', 'sslserver', 'leaf.pem')).toThrow('Command failed')
  })

  it('accepts the certificate of the tunnel listener for its names', () => {
    for (const name of [
      ['-verify_hostname', 'proxy.example.org'],
      ['-verify_ip', '127.0.0.1'],
    ]) {
      expect(openssl('verify', '-x509_strict', '-CAfile', 'ca.pem', '-purpose', 'sslserver', ...name, 'server.pem')).toContain('OK')
    }
  })

  it('CP-092 gets no further than the handshake without a certificate, and through it with one', async () => {
    const { host } = new URL(paired.tunnelEndpoint)
    const talk = async (...more: string[]): Promise<string> => {
      const child = spawn('openssl', ['s_client', '-connect', host, '-CAfile', 'ca.pem', '-verify_return_error', '-brief', ...more], {
        cwd: folder,
      })
      let said = ''
      child.stderr.on('data', (chunk: Buffer) => {
        said += chunk.toString()
        // The peer's certificate is shown once the handshake is through; an alert follows at once or never.
        if (more.includes('-cert') && said.includes('CONNECTION ESTABLISHED')) child.stdin.end()
      })
      await once(child, 'close')
      return said
    }
    expect(await talk('-ign_eof')).toMatch(/certificate required/)
    const accepted = await talk('-cert', 'leaf.pem', '-key', 'leaf.key')
    expect(accepted).toMatch(/CONNECTION ESTABLISHED/)
    expect(accepted).not.toMatch(/alert/)
  })
})
