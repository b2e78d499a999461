import type { KerberosEntry } from '@sallyport/admin-api'
import { createSecret } from '@sallyport/core'
import type { KerberosLogon } from '../kerberos/kerberos-tickets.ts'
import { checkKeytab } from '../kerberos/keytab.ts'
import type { ConfigurationSource } from './configuration-source.ts'

/** Reads the keytab of Kerberos settings. @throws ConnectivityError `CONFIGURATION_INVALID` when it cannot be read or has no key that is needed. */
export async function readKerberosLogon(
  { keytab, ...settings }: KerberosEntry,
  readFile: ConfigurationSource['readFile'],
): Promise<KerberosLogon> {
  const content = await readFile(keytab.file, 'base64')
  checkKeytab(Buffer.from(content, 'base64'), settings)
  return { settings, keytab: createSecret(content) }
}
