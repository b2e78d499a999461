import { ConnectivityError } from '@sallyport/core'
import type { Command } from 'commander'
import { exitCodes, usageError } from '../output/exit-code.ts'
import { addAdministrationOptions, administering, requireAdministered } from './administering.ts'
import { readWholeFile } from './archive-file.ts'
import { formatLines } from './simulated-principal.ts'

const path = '/api/private/v1/onPremises/kerberos'

interface ShownKerberos {
  readonly realm: string
  readonly kdcHosts: readonly string[]
  readonly serviceUser: string
  readonly userDomains?: readonly string[]
  readonly encryptionTypes?: readonly string[]
  readonly keytab: readonly { readonly principal: string }[]
}

interface SetOptions {
  readonly realm?: string
  readonly kdc?: readonly string[]
  readonly serviceUser?: string
  readonly userDomain?: readonly string[]
  readonly encryption?: readonly string[]
  readonly keytab?: string
}

const several = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

/** `connector kerberos show|set|check|remove`: who asks for tickets for users, and where. */
export function addKerberosCommand(connector: Command): void {
  const kerberos = connector.command('kerberos').description('who gets Kerberos tickets for users, and where')
  const leaf = (name: string, description: string): Command => addAdministrationOptions(kerberos.command(name).description(description))

  leaf('show', 'the settings, and what is in the keytab; never its keys').action(async (_options: unknown, command: Command) => {
    await administering(command, async (administration, printer) => {
      const shown = await administration.find<ShownKerberos>(path)
      if (shown === undefined) throw withoutSettings()
      printer.result(shown, () => describe(shown))
    })
  })

  leaf('set', 'make or change the settings, and try them out; what is not named stays')
    .option('--realm <realm>', 'such as ACME.EXAMPLE')
    .option('--kdc <host>', 'KDC, as host or host:port; may be repeated, and takes the place of those of before', several)
    .option('--service-user <name>', 'who is permitted to delegate')
    .option('--user-domain <domain>', 'mail domain of users; may be repeated, and takes the place of those of before', several)
    .option('--encryption <type>', 'AES256_CTS_HMAC_SHA1_96 (the default) or RC4_HMAC; may be repeated, in order of preference', several)
    .option('--keytab <file>', 'key of the service user')
    .action(async ({ encryption, kdc, keytab, realm, serviceUser, userDomain }: SetOptions, command: Command) => {
      const named = {
        ...(realm === undefined ? {} : { realm }),
        ...(kdc === undefined ? {} : { kdcHosts: kdc }),
        ...(serviceUser === undefined ? {} : { serviceUser }),
        ...(userDomain === undefined ? {} : { userDomains: userDomain }),
        ...(encryption === undefined ? {} : { encryptionTypes: encryption }),
      }
      if (Object.keys(named).length === 0 && keytab === undefined) throw usageError('nothing to change; name an option, see --help')
      const content = keytab === undefined ? undefined : readWholeFile(keytab)
      await administering(command, async (administration, printer) => {
        requireAdministered(administration, 'its connector', { kerberos: { ...named, keytab: { file: keytab ?? 'connector.keytab' } } })
        const { keytab: _principals, ...before } = (await administration.find<Partial<ShownKerberos>>(path)) ?? {}
        const changed = await administration.upload<ShownKerberos & Problem>('PUT', path, [
          ['settings', JSON.stringify({ ...before, ...named })],
          ...(content === undefined ? [] : [['keytab', content] as const]),
        ])
        printer.result({ outcome: 'changed', ...changed }, () => `${describe(changed)}\n${verdict(changed)}`)
        if (changed.problem !== null) process.exitCode = exitCodes.failed
      })
    })

  leaf('check', 'look whether the service user can be logged on').action(async (_options: unknown, command: Command) => {
    await administering(command, async (administration, printer) => {
      if ((await administration.find(path)) === undefined) throw withoutSettings()
      const found = await administration.send<Problem>('POST', `${path}/check`)
      printer.result(found, () => verdict(found))
      if (found.problem !== null) process.exitCode = exitCodes.failed
    })
  })

  leaf('remove', 'forget the settings and the keytab').action(async (_options: unknown, command: Command) => {
    await administering(command, async (administration, printer) => {
      requireAdministered(administration, 'its connector', undefined)
      if ((await administration.find(path)) === undefined) throw withoutSettings()
      await administration.send('DELETE', path)
      printer.result({ outcome: 'removed' }, () => 'Removed. No user gets a ticket any more.')
    })
  })
}

interface Problem {
  readonly problem: string | null
}

function verdict({ problem }: Problem): string {
  return problem === null ? 'The service user can be logged on.' : `No user gets a ticket: ${problem}`
}

function describe({ encryptionTypes = [], kdcHosts, keytab, realm, serviceUser, userDomains = [] }: ShownKerberos): string {
  return formatLines([
    ['realm', realm],
    ['KDC', kdcHosts.join(', ')],
    ['service user', serviceUser],
    ...(userDomains.length === 0 ? [] : [['user domains', userDomains.join(', ')] as const]),
    ['encryption', encryptionTypes.join(', ')],
    ['keytab', [...new Set(keytab.map(({ principal }) => principal))].join(', ')],
  ])
}

function withoutSettings(): ConnectivityError {
  return new ConnectivityError('NOT_FOUND', 'there are no Kerberos settings', {
    details: { next: 'sallyport connector kerberos set --realm … --kdc … --service-user … --keytab <file>' },
  })
}
