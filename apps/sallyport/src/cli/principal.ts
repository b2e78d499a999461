import type { Command } from 'commander'
import { exitCodes, usageError } from '../output/exit-code.ts'
import { addAdministrationOptions, administering } from './administering.ts'
import { addSubaccountOption, chooseSubaccount, type SubaccountOption, subaccountPath } from './chosen-subaccount.ts'
import { createContext } from './context.ts'
import { addOwnedCertificateCommands } from './owned-certificate.ts'
import { addPrincipalTrustCommand } from './principal-trust.ts'
import { formatLines, principalLines, type SimulatedPrincipal } from './simulated-principal.ts'
import { addSubjectPatternCommand } from './subject-pattern.ts'
import { addTokenOptions, readToken, type TokenOptions } from './user-token.ts'

/** `principal subject-pattern|ca|trust|simulate`. */
export function addPrincipalCommand(parent: Command): void {
  const principal = parent.command('principal').description('principal propagation: who the user of a token is to a backend')
  addSubjectPatternCommand(principal)
  addOwnedCertificateCommands(principal, {
    path: '/api/v1/configuration/connector/onPremises/ppCaCertificate',
    command: 'principal ca',
    description: 'the authority that signs the certificates of users',
    noun: 'authority',
    exampleSubject: 'CN=User CA,O=Example',
    whoTrusts: 'backends',
    without: 'no user is propagated by certificate',
    inFile: { where: 'principalPropagation', entry: { ca: { certificate: { file: 'ca.crt' }, key: { file: 'ca.key' } } } },
  })
  addPrincipalTrustCommand(principal)
  addTokenOptions(
    addSubaccountOption(
      addAdministrationOptions(principal.command('simulate').description('explain what a token would become; nothing is issued')),
    ),
  ).action(async (options: SubaccountOption & TokenOptions, command: Command) => {
    const token = await readToken(options, createContext(command).printer)
    if (token === undefined) throw usageError('name a token: --token - for standard input, or --token @<file>')
    await administering(command, async (administration, printer) => {
      const key = await chooseSubaccount(administration, options.subaccount)
      const simulated = await administration.send<SimulatedPrincipal>(
        'POST',
        `${subaccountPath(key, 'private')}/simulation/principal`,
        token,
      )
      printer.result({ subaccount: key.subaccount, ...simulated }, () => formatLines(principalLines(simulated)))
      if (!simulated.issuable) process.exitCode = exitCodes.refused
    })
  })
}
