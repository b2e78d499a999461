import { X509Certificate } from 'node:crypto'
import { ConnectivityError } from '@sallyport/core'
import type { Command } from 'commander'
import { formatTable } from '../output/printer.ts'
import { writeFileAtomically } from '../stack/data-folder.ts'
import { type DestinationApi, withDestinationApi } from '../stack/destination-api.ts'
import { createContext } from './context.ts'

const root = '/saml2Metadata'
const passivePath = `${root}/certificate/passive`

interface TenantOption {
  readonly tenant?: string
}

interface ShownCertificate {
  readonly role: 'active' | 'passive'
  readonly subject: string
  readonly endsAt: string
  readonly fingerprint: string
  readonly certificate: string
}

/** `trust show|generate|rotate|delete`: the keys that assertions of the subaccount are signed with. */
export function addTrustCommand(program: Command): void {
  const trust = program.command('trust').description('administer the key pairs that assertions are signed with')
  const withTenant = (command: Command): Command => command.option('--tenant <subaccount>', 'another subaccount than that of the binding')

  withTenant(trust.command('show').description('show both certificates'))
    .option('--metadata <file>', 'write the SAML metadata for target systems to a file')
    .action(async (options: TenantOption & { readonly metadata?: string }, command: Command) => {
      const { printer, folder } = createContext(command)
      const { shown, metadata } = await withDestinationApi(folder(), options, async (api) => ({
        shown: [...(await read(api, 'active')), ...(await read(api, 'passive'))],
        metadata:
          options.metadata === undefined ? undefined : (await api({ method: 'GET', path: root, attempt: 'reading the metadata' })).body,
      }))
      if (shown.length === 0) throw noKeyPair()
      if (options.metadata !== undefined) {
        const { idpMetadata } = metadata as { readonly idpMetadata: string }
        writeFileAtomically(options.metadata, Buffer.from(idpMetadata, 'base64'))
      }
      printer.result(shown, () => describe(shown))
    })

  withTenant(trust.command('generate').description('make the active key pair, or another one in its place, which takes effect at once'))
    .option('--passive', 'make the passive one, to be registered at targets before a rotation')
    .action(async (options: TenantOption & { readonly passive?: boolean }, command: Command) => {
      const { printer, folder } = createContext(command)
      const role = options.passive === true ? 'passive' : 'active'
      const path = role === 'passive' ? passivePath : `${root}/certificate`
      const { status, body } = await withDestinationApi(folder(), options, (api) =>
        api({ method: 'POST', path, attempt: `making the ${role} key pair` }),
      )
      if (status === 404) throw noKeyPair()
      const shown = [shownOf(role, (body as { readonly certificate: string }).certificate)]
      printer.result(shown, () => describe(shown))
    })

  withTenant(trust.command('rotate').description('the active and the passive key pair change roles')).action(
    async (options: TenantOption, command: Command) => {
      const { printer, folder } = createContext(command)
      const path = `${root}/rotateCertificate`
      const { status, body } = await withDestinationApi(folder(), options, (api) =>
        api({ method: 'POST', path, attempt: 'rotating the key pairs' }),
      )
      if (status === 404) throw noPassiveKeyPair()
      const { activeCertificate, passiveCertificate } = body as { readonly activeCertificate: string; readonly passiveCertificate: string }
      const shown = [shownOf('active', activeCertificate), shownOf('passive', passiveCertificate)]
      printer.result(shown, () => describe(shown))
    },
  )

  withTenant(trust.command('delete').description('delete the passive key pair')).action(async (options: TenantOption, command: Command) => {
    const { printer, folder } = createContext(command)
    const { status } = await withDestinationApi(folder(), options, (api) =>
      api({ method: 'DELETE', path: passivePath, attempt: 'deleting the passive key pair' }),
    )
    if (status === 404) throw noPassiveKeyPair()
    printer.result({ role: 'passive', outcome: 'deleted' }, () => 'The passive key pair is deleted.')
  })
}

async function read(api: DestinationApi, role: 'active' | 'passive'): Promise<readonly ShownCertificate[]> {
  const path = role === 'passive' ? passivePath : `${root}/certificate`
  const { status, body } = await api({ method: 'GET', path, attempt: `reading the ${role} certificate` })
  return status === 404 ? [] : [shownOf(role, (body as { readonly certificate: string }).certificate)]
}

function shownOf(role: ShownCertificate['role'], certificate: string): ShownCertificate {
  const { subject, validToDate, fingerprint256: fingerprint } = new X509Certificate(certificate)
  return { role, subject: subject.split('\n').toReversed().join(','), endsAt: validToDate.toISOString(), fingerprint, certificate }
}

function describe(shown: readonly ShownCertificate[]): string {
  return formatTable(
    ['ROLE', 'SUBJECT', 'ENDS', 'SHA-256'],
    shown.map(({ role, subject, endsAt, fingerprint }) => [role, subject, endsAt.slice(0, 10), fingerprint]),
  )
}

function noKeyPair(): ConnectivityError {
  return new ConnectivityError('NOT_FOUND', 'the subaccount has no trust key pair yet', { details: { next: 'sallyport trust generate' } })
}

function noPassiveKeyPair(): ConnectivityError {
  return new ConnectivityError('NOT_FOUND', 'the subaccount has no passive trust key pair', {
    details: { next: 'sallyport trust generate --passive' },
  })
}
