import { ConnectivityError } from '@sallyport/core'
import type { Command } from 'commander'
import type { Administration } from '../connector-client/administration.ts'
import { usageError } from '../output/exit-code.ts'

/** A subaccount as the list of the connector has it. */
export interface ListedSubaccount {
  readonly regionHost: string
  readonly subaccount: string
  readonly locationID: string
}

/** Option of every command for something of a subaccount. */
export interface SubaccountOption {
  readonly subaccount?: string
}

/** Adds it. */
export function addSubaccountOption(command: Command): Command {
  return command.option('--subaccount <id>', 'subaccount, where there are several; <id>@<region host> where one ID is not enough')
}

/** All subaccounts of a connector. */
export function listSubaccounts(administration: Administration): Promise<readonly ListedSubaccount[]> {
  return administration.get('/api/v1/configuration/subaccounts')
}

/** The subaccounts that are meant: the named one, or all. @throws as {@link chooseSubaccount} for a name. */
export async function chooseSubaccounts(administration: Administration, named: string | undefined): Promise<readonly ListedSubaccount[]> {
  return named === undefined ? await listSubaccounts(administration) : [await chooseSubaccount(administration, named)]
}

/** The subaccount that is meant: the named one, or the only one. @throws ConnectivityError `NOT_FOUND`, or a usage error that names the choice. */
export async function chooseSubaccount(administration: Administration, named: string | undefined): Promise<ListedSubaccount> {
  const all = await listSubaccounts(administration)
  const meant = all.filter((entry) => named === undefined || named === entry.subaccount || named === fullName(entry))
  const [only] = meant
  if (only !== undefined && meant.length === 1) return only
  if (all.length === 0)
    throw new ConnectivityError('NOT_FOUND', 'the connector has no subaccount', {
      details: { next: 'sallyport connector subaccount add --authentication-data <file>' },
    })
  if (meant.length > 1) throw usageError(`name one with --subaccount: ${meant.map(fullName).join(', ')}`)
  throw new ConnectivityError('NOT_FOUND', `the connector has no subaccount "${named}"`, {
    details: { next: `there are ${all.map(fullName).join(', ')}` },
  })
}

/** How a subaccount is called where its ID is not enough. */
export function fullName({ regionHost, subaccount }: Pick<ListedSubaccount, 'regionHost' | 'subaccount'>): string {
  return `${subaccount}@${regionHost}`
}

/** Path of a subaccount in the API of the original, or in our own. */
export function subaccountPath(
  { regionHost, subaccount }: Pick<ListedSubaccount, 'regionHost' | 'subaccount'>,
  kind: 'v1' | 'private' = 'v1',
): string {
  const root = kind === 'v1' ? '/api/v1/configuration/subaccounts' : '/api/private/v1/subaccounts'
  return `${root}/${encodeURIComponent(regionHost)}/${encodeURIComponent(subaccount)}`
}
