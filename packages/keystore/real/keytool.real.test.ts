import { createTestCa } from '@sallyport/test-fixtures'
import { describe, expect, it } from 'vitest'
import { isPasswordRefused, readKeystore, writeJks, writePkcs12 } from '../src/index.ts'
import { inWorkshop, keytoolIsMissing } from './programs.ts'

const store = ['-storepass', 'secret1', '-noprompt'] as const

describe.skipIf(keytoolIsMissing)('key stores of the JDK', () => {
  it.each([
    { type: 'JKS', algorithm: 'RSA' },
    { type: 'JKS', algorithm: 'EC' },
    { type: 'PKCS12', algorithm: 'RSA' },
    { type: 'PKCS12', algorithm: 'EC' },
  ])('are opened: $type with an $algorithm key and a trusted certificate', async ({ type, algorithm }) => {
    const ca = createTestCa()
    const { content, key } = inWorkshop(({ write, keytool, read, openssl }) => {
      const made = [
        '-genkeypair',
        '-alias',
        'Client',
        '-dname',
        'CN=client',
        '-keyalg',
        algorithm,
        ...(algorithm === 'EC' ? ['-groupname', 'secp256r1'] : ['-keysize', '2048']),
      ]
      keytool(...made, '-keystore', 's.jks', '-storetype', type, '-keypass', 'secret1', ...store)
      write('ca.pem', ca.certificate)
      keytool('-importcert', '-alias', 'partner', '-file', 'ca.pem', '-keystore', 's.jks', ...store)
      keytool(
        '-importkeystore',
        '-srckeystore',
        's.jks',
        '-srcstorepass',
        'secret1',
        '-srcalias',
        'client',
        '-destkeystore',
        'd.p12',
        '-deststoretype',
        'PKCS12',
        '-deststorepass',
        'secret1',
        '-noprompt',
      )
      return { content: read('s.jks'), key: openssl('pkcs12', '-in', 'd.p12', '-passin', 'pass:secret1', '-nocerts', '-nodes') }
    })
    const keystore = await readKeystore({ name: 'client.jks', content, password: 'secret1' })
    expect(keystore.entries.map(({ alias }) => alias)).toEqual(['client', 'partner'])
    expect(key).toContain(keystore.entries[0]?.privateKey?.trim())
    expect(keystore.entries[1]?.privateKey).toBeUndefined()
    expect(keystore.trusted).toEqual([ca.certificate])
    expect(keystore.locked).toBe(false)
    expect(isPasswordRefused(await refusal(readKeystore({ name: 'client.jks', content, password: 'wrong' })))).toBe(true)
  })

  it('show their certificates without a password', async () => {
    const content = inWorkshop(({ keytool, read }) => {
      const made = ['-genkeypair', '-alias', 'a', '-dname', 'CN=a', '-keyalg', 'EC']
      keytool(...made, '-keystore', 's.jks', '-storetype', 'JKS', '-keypass', 'secret1', ...store)
      return read('s.jks')
    })
    const { entries, ...rest } = await readKeystore({ name: 's.jks', content, password: 'secret1' })
    expect(entries[0]).toHaveProperty('privateKey')
    expect(await readKeystore({ name: 's.jks', content })).toEqual({
      ...rest,
      entries: [{ alias: 'a', certificates: entries[0]?.certificates }],
      locked: true,
    })
  })

  it('keep a key locked that has another password than the store', async () => {
    const content = inWorkshop(({ keytool, read }) => {
      keytool(
        '-genkeypair',
        '-alias',
        'a',
        '-dname',
        'CN=a',
        '-keyalg',
        'EC',
        '-keystore',
        's.jks',
        '-storetype',
        'JKS',
        '-keypass',
        'another1',
        ...store,
      )
      return read('s.jks')
    })
    const keystore = await readKeystore({ name: 's.jks', content, password: 'secret1' })
    expect(keystore).toMatchObject({ locked: true, trusted: [], entries: [{ alias: 'a' }] })
    expect(keystore.entries[0]).not.toHaveProperty('privateKey')
  })

  it('open a key in PKCS #12 that has another password than the store, with both', async () => {
    const content = inWorkshop(({ java, keytool, read, write }) => {
      const made = ['-genkeypair', '-alias', 'a', '-dname', 'CN=a', '-keyalg', 'EC', '-keystore', 's.p12', '-storetype', 'PKCS12']
      keytool(...made, ...store)
      write('Protect.java', protectsKey)
      java('Protect.java')
      return read('t.p12')
    })
    const file = { name: 't.p12', content, password: 'secret1' }
    await expect(readKeystore(file)).rejects.toThrow('cannot be opened with the given password')
    await expect(readKeystore({ ...file, keyPassword: 'wrong' })).rejects.toThrow('cannot be opened with the given password')
    expect((await readKeystore({ ...file, keyPassword: 'another1' })).entries).toMatchObject([
      { alias: 'a', privateKey: expect.stringContaining('PRIVATE KEY') },
    ])
  })
})

describe.skipIf(keytoolIsMissing)('keytool', () => {
  it.each([
    { type: 'JKS', keyType: 'ec' },
    { type: 'JKS', keyType: 'rsa' },
    { type: 'PKCS12', keyType: 'ec' },
    { type: 'PKCS12', keyType: 'rsa' },
  ] as const)('opens the $type that we write, $keyType', async ({ type, keyType }) => {
    const ca = createTestCa({ keyType })
    const client = ca.issue({ subject: '/CN=client', keyType })
    const entry = { alias: 'Client.jks', certificates: [client.certificate, ca.certificate], privateKey: client.key, password: 'secret1' }
    const content = type === 'JKS' ? writeJks(entry, Date.parse('2030-05-17T12:00:00Z')) : await writePkcs12(entry)
    inWorkshop(({ write, keytool, openssl }) => {
      write('s.store', content)
      const shown = keytool('-list', '-v', '-keystore', 's.store', '-storetype', type, '-storepass', 'secret1')
      expect(shown).toContain('Alias name: client.jks')
      expect(shown).toContain('Entry type: PrivateKeyEntry')
      expect(shown).toContain('Certificate chain length: 2')
      // PKCS #12 has no such time; the program says today then.
      expect(type === 'PKCS12' || /Creation date: .*17.*2030/.test(shown)).toBe(true)
      keytool(
        '-importkeystore',
        '-srckeystore',
        's.store',
        '-srcstoretype',
        type,
        '-srcstorepass',
        'secret1',
        '-destkeystore',
        'd.p12',
        '-deststoretype',
        'PKCS12',
        '-deststorepass',
        'secret1',
        '-noprompt',
      )
      expect(openssl('pkcs12', '-in', 'd.p12', '-passin', 'pass:secret1', '-nocerts', '-nodes')).toContain(client.key.trim())
    })
    const back = await readKeystore({ name: 'x.jks', content, password: 'secret1' })
    expect(back.entries).toMatchObject([{ certificates: entry.certificates, privateKey: client.key }])
  })
})

async function refusal(work: Promise<unknown>): Promise<unknown> {
  try {
    await work
  } catch (error) {
    return error
  }
  throw new Error('nothing was refused')
}

/** keytool itself gives keys in PKCS #12 the password of the store. */
const protectsKey = `
  import java.io.*; import java.security.KeyStore;
  class Protect {
    public static void main(String[] arguments) throws Exception {
      var store = KeyStore.getInstance(new File("s.p12"), "secret1".toCharArray());
      var key = store.getKey("a", "secret1".toCharArray());
      store.setKeyEntry("a", key, "another1".toCharArray(), store.getCertificateChain("a"));
      try (var to = new FileOutputStream("t.p12")) { store.store(to, "secret1".toCharArray()); }
    }
  }
`
