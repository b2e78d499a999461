import { execFileSync } from 'node:child_process'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { skipUnless } from '@sallyport/real-backends'
import { createManualClock } from '@sallyport/test-fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDataFolder } from './data-folder.ts'
import { openAuthority } from './local-authority.ts'

let path: string
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'sallyport-'))
})
afterEach(() => rmSync(path, { recursive: true }))

const options = { name: 'ca', commonName: 'Local CA' }
const subject = [{ type: 'CN', value: 'localhost' }] as const

describe('local authority', () => {
  it.skipIf(skipUnless('openssl'))('issues server certificates that openssl verifies for localhost', () => {
    const clock = createManualClock(Date.now())
    const authority = openAuthority(openDataFolder(path), clock, options)
    const { certificate } = authority.identity('server', { subject })
    const leaf = join(path, 'leaf.pem')
    writeFileSync(leaf, certificate)
    const verdict = execFileSync('openssl', [
      'verify',
      '-CAfile',
      authority.certificateFile,
      '-purpose',
      'sslserver',
      '-verify_hostname',
      'localhost',
      leaf,
    ])
    expect(verdict.toString()).toContain('OK')
  })

  it('is the same after a restart, and renews what is about to expire', () => {
    const clock = createManualClock(Date.now())
    const first = openAuthority(openDataFolder(path), clock, options).identity('server', { subject })
    const again = openAuthority(openDataFolder(path), clock, options)
    expect(again.identity('server', { subject })).toEqual(first)
    clock.advance(370 * 86_400_000)
    expect(again.identity('server', { subject }).certificate).not.toBe(first.certificate)
  })

  it('makes a certificate anew when the configuration has brought another name', () => {
    const authority = openAuthority(openDataFolder(path), createManualClock(Date.now()), options)
    const names = ['localhost', '127.0.0.1', '::1']
    const before = authority.identity('server', { subject, names })
    expect(authority.identity('server', { subject, names })).toEqual(before)
    const after = authority.identity('server', { subject, names: [...names, '*.authentication.example.test'] })
    expect(new X509Certificate(after.certificate).subjectAltName).toContain('DNS:*.authentication.example.test')
    expect(after.key).toBe(before.key)
  })

  it('is one and the same for a process that has looked just before another one wrote', () => {
    const clock = createManualClock(Date.now())
    const first = openAuthority(openDataFolder(path), clock, options)
    const leaf = first.identity('server', { subject })
    const early = { ...openDataFolder(path), read: () => undefined }
    const second = openAuthority(early, clock, options)
    expect([second.certificate, second.key, second.identity('server', { subject })]).toEqual([first.certificate, first.key, leaf])
  })

  it('says which files do not belong together', () => {
    const folder = openDataFolder(path)
    const clock = createManualClock()
    const other = openAuthority(folder, clock, { ...options, name: 'other' })
    openAuthority(folder, clock, options)
    folder.write(['ca.key'], other.key)
    expect(() => openAuthority(folder, clock, options)).toThrow(/ca\.crt and its key .* do not belong together; remove both/)
    folder.write(['ca.key'], 'nonsense')
    expect(() => openAuthority(folder, clock, options)).toThrow(/ca\.crt and its key cannot be read/)
  })

  it('makes a certificate anew whose key is another one', () => {
    const folder = openDataFolder(path)
    const clock = createManualClock(Date.now())
    const authority = openAuthority(folder, clock, options)
    authority.identity('server', { subject })
    folder.write(['server.key'], authority.key)
    const { certificate, key } = authority.identity('server', { subject })
    expect(new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))).toBe(true)
    expect(authority.identity('server', { subject })).toEqual({ certificate, key })
  })

  it('keeps keys readable by their owner only', () => {
    const folder = openDataFolder(join(path, 'data'))
    openAuthority(folder, createManualClock(), options)
    expect(statSync(folder.file('ca.key')).mode & 0o077).toBe(0)
    expect(statSync(folder.path).mode & 0o077).toBe(0)
  })

  it('makes a new one when a crash left only half', () => {
    const folder = openDataFolder(path)
    const clock = createManualClock()
    const first = openAuthority(folder, clock, options)
    folder.remove('ca.crt')
    expect(openAuthority(folder, clock, options).certificate).not.toBe(first.certificate)
  })
})
