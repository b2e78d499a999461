import { createTestCa } from '@sallyport/test-fixtures'
import { describe, expect, it } from 'vitest'
import { isPasswordRefused, readKeystore, writePem, writePkcs12 } from '../src/index.ts'
import { inWorkshop, opensslIsMissing } from './programs.ts'

const password = 'pässword 1'

describe.skipIf(opensslIsMissing)('files of openssl', () => {
  const kinds = [
    { kind: 'ec', args: [] },
    { kind: 'rsa', args: [] },
    { kind: 'rsa', args: ['-legacy'] },
    { kind: 'ec', args: ['-legacy'] },
    { kind: 'rsa', args: ['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1'] },
    { kind: 'rsa', args: ['-keypbe', 'AES-128-CBC', '-certpbe', 'AES-192-CBC', '-macalg', 'sha512', '-iter', '20000'] },
    { kind: 'ec', args: ['-keypbe', 'NONE', '-certpbe', 'NONE'] },
    { kind: 'ec', args: ['-nomac'] },
  ] as const

  it.each(kinds)('are opened: PKCS #12 with an $kind key, $args', async ({ kind, args }) => {
    const ca = createTestCa({ keyType: kind })
    const client = ca.issue({ subject: '/CN=client', keyType: kind })
    const content = inWorkshop(({ write, openssl, read }) => {
      write('key.pem', client.key)
      // The issuer comes first, so that the chain has to be put in order.
      write('chain.pem', ca.certificate + client.certificate)
      openssl(
        'pkcs12',
        '-export',
        '-inkey',
        'key.pem',
        '-in',
        'chain.pem',
        '-name',
        'The Client',
        '-passout',
        `pass:${password}`,
        '-out',
        'c.p12',
        ...args,
      )
      return read('c.p12')
    })
    const keystore = await readKeystore({ name: 'c.p12', content, password })
    expect(keystore).toEqual({
      entries: [{ alias: 'The Client', certificates: [client.certificate, ca.certificate].map(body), privateKey: client.key }],
      trusted: [],
      locked: false,
    })
    // Without checksum or encryption a wrong password need not be noticed, but nothing else may come of it.
    const unnoticed = args.some((arg) => arg === 'NONE' || arg === '-nomac')
    const wrong = await refusal(readKeystore({ name: 'c.p12', content, password: 'wrong' }))
    expect(isPasswordRefused(wrong) || unnoticed).toBe(true)
  })

  it('are opened without a password when they have an empty one', async () => {
    const ca = createTestCa()
    const content = inWorkshop(({ write, openssl, read }) => {
      write('key.pem', ca.key)
      write('ca.pem', ca.certificate)
      openssl('pkcs12', '-export', '-inkey', 'key.pem', '-in', 'ca.pem', '-passout', 'pass:', '-out', 'c.pfx')
      return read('c.pfx')
    })
    expect((await readKeystore({ name: 'c.PFX', content })).entries).toEqual([{ certificates: [body(ca.certificate)], privateKey: ca.key }])
  })

  it.each([
    ['PKCS #8', ['pkcs8', '-topk8', '-v2', 'aes256']],
    ['PKCS #8 with scrypt', ['pkcs8', '-topk8', '-scrypt']],
    ['PKCS #8 with triple DES of PKCS #12', ['pkcs8', '-topk8', '-v1', 'PBE-SHA1-3DES']],
    ['the older form of RSA', ['rsa', '-aes128', '-traditional']],
    ['the older form of RSA with triple DES', ['rsa', '-des3', '-traditional']],
    ['the older form of EC', ['ec', '-aes256']],
  ])('are opened: PEM with a key encrypted in %s', async (_, [command = '', ...args]) => {
    const ca = createTestCa({ keyType: args.includes('-traditional') ? 'rsa' : 'ec' })
    const key = inWorkshop(({ write, openssl, read }) => {
      write('key.pem', ca.key)
      openssl(command, ...args, '-in', 'key.pem', '-passout', 'pass:secret', '-out', 'encrypted.pem')
      return read('encrypted.pem').toString()
    })
    const content = Buffer.from(`Bag Attributes\n${key}${ca.certificate}`)
    const entry = { certificates: [body(ca.certificate)], privateKey: ca.key }
    expect(await readKeystore({ name: 'x.pem', content, password: 'secret' })).toEqual({ entries: [entry], trusted: [], locked: false })
    expect(await readKeystore({ name: 'x.pem', content })).toEqual({
      entries: [{ certificates: entry.certificates }],
      trusted: entry.certificates,
      locked: true,
    })
    expect(await refusal(readKeystore({ name: 'x.pem', content, password: 'wrong' }))).toMatchObject({ code: 'MESSAGE_INVALID' })
  })
})

describe.skipIf(opensslIsMissing)('openssl', () => {
  it.each(['ec', 'rsa'] as const)('opens the PKCS #12 and the encrypted PEM that we write, %s', async (keyType) => {
    const ca = createTestCa({ keyType })
    const client = ca.issue({ subject: '/CN=client', keyType })
    const entry = { alias: 'client.p12', certificates: [client.certificate, ca.certificate], privateKey: client.key, password }
    const [file, open] = [await writePkcs12(entry), await writePkcs12({ ...entry, password: '' })]
    inWorkshop(({ write, openssl }) => {
      write('c.p12', file)
      const shown = openssl('pkcs12', '-in', 'c.p12', '-passin', `pass:${password}`, '-nodes')
      expect(shown).toContain('friendlyName: client.p12')
      for (const pem of [client.certificate, ca.certificate, client.key]) expect(shown).toContain(pem.trim())
      expect(() => openssl('pkcs12', '-in', 'c.p12', '-passin', 'pass:wrong', '-nodes')).toThrow(/Mac verify error/)

      write('empty.p12', open)
      expect(openssl('pkcs12', '-in', 'empty.p12', '-passin', 'pass:', '-nodes')).toContain(client.key.trim())

      write('c.pem', writePem(entry))
      expect(openssl('pkey', '-in', 'c.pem', '-passin', `pass:${password}`)).toBe(client.key)
      expect(openssl('x509', '-in', 'c.pem', '-noout', '-subject')).toContain('client')
    })
  })
})

/** Certificates are rendered anew; the lines are the same. */
function body(pem: string): string {
  return `${pem.trim()}\n`
}

async function refusal(work: Promise<unknown>): Promise<unknown> {
  try {
    await work
  } catch (error) {
    return error
  }
  throw new Error('nothing was refused')
}
