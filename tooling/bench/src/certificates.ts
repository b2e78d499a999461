import { createTestCa, createTestIssuer } from '@sallyport/test-fixtures'
import type { Certificates, Tenant } from './contender.ts'

const subaccount = 'bench'

/** An authority with a server and a connector, for this run. */
export function createCertificates(): Certificates {
  const authority = createTestCa({ subject: '/O=Sallyport/CN=Benchmark authority' })
  return {
    authority: authority.certificate,
    server: authority.issue({ subject: '/CN=localhost' }),
    client: authority.issue({ subject: `/O=${subaccount}/CN=bench-connector` }),
  }
}

/** A token of 1.2 kB, as XSUAA issues them, needs some more claims than the fixture has. */
const furtherClaims = {
  'xs.system.attributes': { 'xs.rolecollections': Array.from({ length: 8 }, (_, at) => `Business Partner Role ${at}`) },
}

/** A tenant whose tokens last for the run. */
export function createTenant(): Tenant {
  const clientId = 'sb-bench!b1'
  const signer = createTestIssuer({ tenant: subaccount, clientId })
  const exp = Math.floor(Date.now() / 1000) + 86_400
  return {
    subaccount,
    clientId,
    issuer: { issuer: signer.issuer, keys: signer.keys },
    token: signer.technical({ ...furtherClaims, exp }),
    userToken: signer.user('bench@example.org', { ...furtherClaims, exp }),
  }
}
