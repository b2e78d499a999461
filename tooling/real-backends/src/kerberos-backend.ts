import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Httpd, startHttpd } from './httpd.ts'
import type { Kdc } from './kdc.ts'

/**
 * A backend that lets only users with a ticket in, by MIT's GSSAPI. It answers who the user is in `x-remote-user`, and with what he was logged on in
 * `x-authorization`. `connectionBound`: whoever was logged on stays so for the connection.
 */
export function startKerberosBackend(kdc: Kdc, keytab: Buffer, connectionBound = false): Promise<Httpd> {
  return startHttpd({
    modules: ['auth_gssapi'],
    environment: ({ folder }) => ({ KRB5_CONFIG: kdc.configurationFile, KRB5RCACHEDIR: join(folder, 'writable') }),
    configuration({ folder }) {
      const file = join(folder, 'backend.keytab')
      writeFileSync(file, keytab)
      chmodSync(file, 0o644)
      return [
        '<Location />',
        '  AuthType GSSAPI',
        '  AuthName backend',
        `  GssapiCredStore keytab:${file}`,
        `  GssapiConnectionBound ${connectionBound ? 'On' : 'Off'}`,
        '  Require valid-user',
        '  Header always set X-Remote-User "expr=%{REMOTE_USER}"',
        '  Header always set X-Authorization "expr=%{req:Authorization}"',
        '</Location>',
      ].join('\n')
    },
  })
}
