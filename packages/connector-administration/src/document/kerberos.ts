import { kerberosKeys, type KerberosSettings } from '@sallyport/admin-api'
import { z } from 'zod'
import { maxKeytabBytes } from '../limits.ts'

/** Kerberos towards the backends of all subaccounts: settings, and the keytab of the service user in base64. */
export interface AdministeredKerberos extends KerberosSettings {
  readonly keytab: string
}

/** Checks {@link AdministeredKerberos}; what the keytab holds is checked where it comes in. */
export const administeredKerberosSchema: z.ZodType<AdministeredKerberos> = z.strictObject({
  ...kerberosKeys,
  keytab: z.base64().max(Math.ceil(maxKeytabBytes / 3) * 4),
})
