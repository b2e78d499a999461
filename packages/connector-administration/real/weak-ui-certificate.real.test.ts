import { execFileSync } from 'node:child_process'
import { connect } from 'node:tls'
import { skipUnless } from '@sallyport/real-backends'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type AdministrationBench, startAdministrationBench } from '../conformance/administration-bench.ts'

const path = '/api/v1/configuration/connector/ui/uiCertificate'

let bench: AdministrationBench
beforeEach(async () => {
  bench = await startAdministrationBench({ haRole: 'master' })
})
afterEach(() => bench[Symbol.asyncDispose]())

/** Fingerprint of what a new connection is shown. */
const shown = (): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: bench.port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256)
      socket.destroy()
    })
    socket.on('error', reject)
  })

/** A PKCS #12 file with a new key of that length. */
function pkcs12Of(bits: number): Buffer {
  const wish = ['req', '-x509', '-newkey', `rsa:${bits}`, '-nodes', '-subj', '/CN=uploaded', '-days', '2', '-keyout', '-', '-out', '-']
  const input = execFileSync('openssl', wish, { stdio: ['ignore', 'pipe', 'ignore'], timeout: 10_000 })
  return execFileSync('openssl', ['pkcs12', '-export', '-passout', 'pass:secret'], { input, timeout: 10_000 })
}

describe.skipIf(skipUnless('openssl'))('a UI certificate made by openssl', () => {
  const upload = (bits: number): ReturnType<AdministrationBench['upload']> =>
    bench.upload('PUT', path, [
      ['pkcs12', pkcs12Of(bits)],
      ['password', 'secret'],
    ])

  it('that TLS refuses is not stored, and the one of before stays, also after a restart', async () => {
    const before = await shown()
    const refused = await upload(1024)
    expect([refused.status, refused.json().message]).toEqual([400, expect.stringMatching(/TLS refuses the UI certificate.*key too small/)])
    expect(bench.access.editor.settings.ui.certificate.current).toBeUndefined()
    expect(await shown()).toBe(before)
    const { identity, material } = bench
    await bench[Symbol.asyncDispose]()
    bench = await startAdministrationBench({ material, identity })
    expect(await shown()).toBe(before)
  })

  it('that TLS takes is shown from the next connection on', async () => {
    const before = await shown()
    expect((await upload(2048)).status).toBe(204)
    expect(await shown()).not.toBe(before)
  })
})
