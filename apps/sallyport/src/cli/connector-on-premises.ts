import type { Command } from 'commander'
import { addBackendTrustCommand } from './backend-trust.ts'
import { addKerberosCommand } from './kerberos.ts'
import { addOwnedCertificateCommands } from './owned-certificate.ts'

/** What the connector is and believes towards back ends: `connector system-certificate|backend-trust|kerberos`. */
export function addOnPremisesCommands(connector: Command): void {
  addOwnedCertificateCommands(connector, {
    path: '/api/v1/configuration/connector/onPremises/systemCertificate',
    command: 'connector system-certificate',
    description: 'the certificate by which back ends know the connector',
    noun: 'system certificate',
    exampleSubject: 'CN=connector,O=Example',
    whoTrusts: 'back ends',
    without: 'no back end can ask the connector who it is',
    inFile: {
      where: 'its connector',
      entry: { systemCertificate: { certificate: { file: 'system.crt' }, key: { file: 'system.key' } } },
    },
  })
  addBackendTrustCommand(connector)
  addKerberosCommand(connector)
}
