import type { AdministeredLevel, DestinationAdministration } from '@sallyport/admin-api'
import { ConnectivityError } from '@sallyport/core'
import type { Command } from 'commander'
import { usageError } from '../output/exit-code.ts'
import type { AskedAs } from '../stack/destination-clients.ts'

/** Options of every command that administers something on a level. */
export interface LevelOptions {
  readonly level: string
  readonly instance?: string
  readonly tenant?: string
  readonly as?: string
}

/** Adds them. */
export function addLevelOptions(command: Command): Command {
  return command
    .option('--level <level>', 'subaccount or instance', 'subaccount')
    .option('--instance <name>', 'level of the instance of this name or id')
    .option('--tenant <subaccount>', 'administer another subaccount than that of the binding')
    .option('--as <user>', 'administer with the roles of this user')
}

/** In whose name. */
export function askedAs({ as, tenant }: LevelOptions): AskedAs {
  return { user: as, tenant }
}

/** The level that is meant. @throws a usage error, or ConnectivityError `NOT_FOUND` when there is no such instance. */
export async function levelOf(options: LevelOptions, administration: DestinationAdministration): Promise<AdministeredLevel> {
  if (options.level !== 'subaccount' && options.level !== 'instance')
    throw usageError(`--level takes subaccount or instance, not "${options.level}"`)
  if (options.level === 'subaccount' && options.instance === undefined) return 'subaccount'
  const known = await administration.instances()
  const wanted = options.instance
  const found =
    wanted === undefined
      ? (known.find(({ relation }) => relation === 'own') ?? known[0])
      : (known.find(({ id }) => id === wanted) ?? known.find(({ name }) => name === wanted))
  if (found !== undefined) return { instance: found.id }
  const names = known.map(({ name }) => name).join(', ')
  throw new ConnectivityError(
    'NOT_FOUND',
    wanted === undefined
      ? 'there is no instance whose level could be administered'
      : `there is no instance "${wanted}" that could be administered`,
    { details: { next: names === '' ? 'sallyport instance list' : `there are ${names}` } },
  )
}

/** The level as messages call it. */
export function levelText({ level, instance }: LevelOptions): string {
  return instance === undefined ? `${level} level` : `level of the instance "${instance}"`
}
