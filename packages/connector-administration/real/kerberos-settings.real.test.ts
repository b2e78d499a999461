import { once } from 'node:events'
import { request } from 'node:https'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { type Kdc, skipUnless, skipWithoutKerberosPeer, startKdc } from '@sallyport/real-backends'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AdministrationBench, startAdministrationBench } from '../conformance/administration-bench.ts'
import { until } from '../conformance/pair-bench.ts'

const path = '/api/private/v1/onPremises/kerberos'
const skip = skipUnless('krb5kdc', 'kadmin.local', 'kdb5_ldap_util', 'kinit', 'kvno', 'slapd') || skipWithoutKerberosPeer()

describe.skipIf(skip)('Kerberos settings and a real KDC', () => {
  let kdc: Kdc
  let bench: AdministrationBench
  beforeAll(async () => {
    kdc = await startKdc({ commands: ['addprinc -randkey +ok_to_auth_as_delegate svc-connector'] })
    bench = await startAdministrationBench({ haRole: 'master' })
  })
  afterAll(async () => {
    await bench?.[Symbol.asyncDispose]()
    await kdc?.stop()
  })

  it('are tried out when they are put, and on demand: a keytab of before a new key is told about', async () => {
    const settings = JSON.stringify({ realm: kdc.realm, kdcHosts: [`${kdc.host}:${kdc.port}`], serviceUser: 'svc-connector' })
    const put = async (keytab: Buffer): Promise<any> =>
      (
        await bench.upload('PUT', path, [
          ['settings', settings],
          ['keytab', keytab],
        ])
      ).json()
    const first = await kdc.keytab('svc-connector')
    expect(await put(first)).toMatchObject({
      problem: null,
      keytab: expect.arrayContaining([{ principal: 'svc-connector@ACME.TEST', encryption: 18 }]),
    })
    expect(kdc.log()).toMatch(/AS_REQ .* ISSUE: .* svc-connector@ACME\.TEST for krbtgt/)
    expect((await bench.call('POST', `${path}/check`)).json()).toEqual({ problem: null })
    const second = await kdc.keytab('svc-connector')
    expect((await put(first)).problem).toContain('the KDC does not accept the keytab of the service user')
    expect((await put(second)).problem).toBeNull()
  })

  it('are left by the program that tries them out when whoever asked for it has gone', async () => {
    const sockets: Socket[] = []
    const silent = createServer((socket) => void sockets.push(socket.on('error', () => {})))
    await once(silent.listen(0, '127.0.0.1'), 'listening')
    try {
      const keytab = (await kdc.keytab('svc-connector')).toString('base64')
      const kerberos = {
        realm: kdc.realm,
        kdcHosts: [`127.0.0.1:${(silent.address() as AddressInfo).port}`],
        encryptionTypes: ['AES256_CTS_HMAC_SHA1_96' as const],
        serviceUser: 'svc-connector',
        userDomains: [],
        keytab,
      }
      await bench.editor.change('test', (document) => ({ ...document, onPremises: { ...document.onPremises, kerberos } }))
      const { port } = bench
      const headers = { 'x-role': 'sccadmin' }
      const asking = request({ host: '127.0.0.1', port, method: 'POST', path: `${path}/check`, headers, rejectUnauthorized: false })
      asking.on('error', () => {}).end()
      await until(() => sockets.length > 0)
      // What it has asked is there to be read, and then its end: the clock of the connector stands still, so it is not out of time.
      const [socket] = sockets as [Socket]
      socket.resume()
      asking.destroy()
      await until(() => socket.readableEnded || socket.destroyed)
      expect(bench.editor.document.onPremises.kerberos).toEqual(kerberos)
    } finally {
      for (const socket of sockets) socket.destroy()
      silent.close()
    }
  })
})
