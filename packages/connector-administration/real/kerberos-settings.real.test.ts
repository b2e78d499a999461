import { type Kdc, skipUnless, skipWithoutKerberosPeer, startKdc } from '@sallyport/real-backends'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AdministrationBench, startAdministrationBench } from '../conformance/administration-bench.ts'

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
})
