import { createTestCa } from '@sallyport/test-fixtures'
import type { Certificates } from './contender.ts'

/** Subaccount that the tokens and the connector's certificate name. */
export const subaccount = 'bench'

/** An authority with a server and a connector, for this run. */
export function createCertificates(): Certificates {
  const authority = createTestCa({ subject: '/O=Sallyport/CN=Benchmark authority' })
  return {
    authority: authority.certificate,
    server: authority.issue({ subject: '/CN=localhost' }),
    client: authority.issue({ subject: `/O=${subaccount}/CN=bench-connector` }),
  }
}
