import { ConnectivityError } from '@sallyport/core'
import type { Command } from 'commander'
import type { Administration } from '../connector-client/administration.ts'
import type { Printer } from '../output/printer.ts'
import { formatTable } from '../output/printer.ts'
import { addAdministrationOptions, administering, requireAdministered } from './administering.ts'
import { addSubaccountOption, chooseSubaccount, type SubaccountOption, subaccountPath } from './chosen-subaccount.ts'

interface ShownIssuer {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly enabled: boolean
}

/** `principal trust list|synchronise|allow|deny`: whose tokens are believed. */
export function addPrincipalTrustCommand(principal: Command): void {
  const trust = principal.command('trust').description('issuers whose tokens are believed, as the cloud side names them')
  const leaf = (name: string, description: string): Command =>
    addSubaccountOption(addAdministrationOptions(trust.command(name).description(description)))
  const show = async (administration: Administration, path: string, printer: Printer): Promise<void> => {
    const issuers = await administration.get<readonly ShownIssuer[]>(`${path}/idps`)
    printer.result({ issuers }, () =>
      issuers.length === 0
        ? 'No issuer is trusted. Next: sallyport principal trust synchronise'
        : formatTable(
            ['ID', 'ISSUER', 'TRUSTED', 'DESCRIPTION'],
            issuers.map(({ description, enabled, id, name }) => [id, name, enabled ? 'yes' : 'no', description]),
          ),
    )
  }

  leaf('list', 'every issuer').action(async (options: SubaccountOption, command: Command) => {
    await administering(command, async (administration, printer) => {
      await show(administration, `${subaccountPath(await chooseSubaccount(administration, options.subaccount))}/trust`, printer)
    })
  })
  leaf('synchronise', 'take over what the cloud side trusts now').action(async (options: SubaccountOption, command: Command) => {
    await administering(command, async (administration, printer) => {
      const path = `${subaccountPath(await chooseSubaccount(administration, options.subaccount))}/trust`
      await administration.send('POST', path)
      await show(administration, path, printer)
    })
  })
  for (const [name, enabled] of [
    ['allow', true],
    ['deny', false],
  ] as const)
    leaf(name, enabled ? 'believe the tokens of an issuer' : 'believe the tokens of an issuer no longer')
      .argument('<id>', 'number of the issuer, see list')
      .action(async (id: string, options: SubaccountOption, command: Command) => {
        await administering(command, async (administration, printer) => {
          const path = `${subaccountPath(await chooseSubaccount(administration, options.subaccount))}/trust`
          const issuer = (await administration.get<readonly ShownIssuer[]>(`${path}/idps`)).find((each) => each.id === id)
          if (issuer === undefined)
            throw new ConnectivityError('NOT_FOUND', `there is no issuer ${id}`, { details: { next: 'sallyport principal trust list' } })
          requireAdministered(administration, 'trust of its connector', enabled ? undefined : { untrustedIssuers: [issuer.name] })
          await administration.send('PUT', `${path}/idps/${id}`, { enabled })
          printer.result(
            { id, issuer: issuer.name, outcome: enabled ? 'allowed' : 'denied' },
            () => `Tokens of ${issuer.name} are ${enabled ? '' : 'not '}believed.`,
          )
        })
      })
}
