import type { Destination, ProtocolAdapter, ProtocolClient } from '@sallyport/core'
import { type Clock, ConnectivityError, type HttpDestination, parseDestination, silentLogger } from '@sallyport/core'
import {
  classicRfcBackend,
  httpBackend,
  imapBackend,
  ldapBackend,
  pop3Backend,
  type ScriptedBackend,
  smtpBackend,
  soapBackend,
  tcpBackend,
  withGuest,
} from '@sallyport/conformance/backends'
import type { ConnectSoapCarrier } from '@sallyport/rfc'
import type { ProxyRoute } from '@sallyport/destination-client/connect'

/** What the command hands to an adapter. */
export interface TrialDeps {
  readonly clock: Clock
  readonly proxy: ProxyRoute
  /** Location ID of the connector that leads here. */
  readonly location: string
}

/** An adapter and its scripted backend. */
interface AdapterTrial<T extends Destination['type'], Client extends ProtocolClient> {
  readonly name: string
  readonly backend: ScriptedBackend<T, Client>
  /** Over which listener of the proxy it goes. */
  readonly over: 'socks5' | 'http'
  /** To which addresses of the target. */
  readonly mappings: 'tcp' | 'http' | 'rfc'
  /** Loaded when it is its turn. */
  readonly create: (deps: TrialDeps) => Promise<ProtocolAdapter<T, Client>>
}

/** One that can stand in a list with others: what it makes goes back to itself only. */
export type AnyAdapterTrial = AdapterTrial<Destination['type'], ProtocolClient>

function trial<T extends Destination['type'], Client extends ProtocolClient>(given: AdapterTrial<T, Client>): AnyAdapterTrial {
  return given as unknown as AnyAdapterTrial
}

/** Every adapter there is. */
export const adapterTrials: readonly AnyAdapterTrial[] = [
  trial({
    name: 'http',
    backend: httpBackend,
    over: 'http',
    mappings: 'http',
    create: async ({ clock, proxy }) => (await import('@sallyport/http')).createHttpAdapter({ clock, proxy }),
  }),
  trial({
    name: 'tcp',
    backend: tcpBackend,
    over: 'socks5',
    mappings: 'tcp',
    create: async ({ clock }) => (await import('@sallyport/tcp')).createTcpAdapter({ clock }),
  }),
  trial({
    name: 'ldap (ldapjs)',
    backend: ldapBackend,
    over: 'socks5',
    mappings: 'tcp',
    create: async ({ clock }) => (await import('@sallyport/ldap')).createLdapAdapter({ clock, driver: 'ldapjs' }),
  }),
  trial({
    name: 'ldap (ldapts)',
    backend: ldapBackend,
    over: 'socks5',
    mappings: 'tcp',
    create: async ({ clock }) => (await import('@sallyport/ldap')).createLdapAdapter({ clock, driver: 'ldapts' }),
  }),
  trial({
    name: 'smtp',
    backend: smtpBackend,
    over: 'socks5',
    mappings: 'tcp',
    create: async ({ clock }) => (await import('@sallyport/smtp')).createSmtpAdapter({ clock }),
  }),
  trial({
    name: 'imap',
    backend: imapBackend,
    over: 'socks5',
    mappings: 'tcp',
    create: async ({ clock }) => (await import('@sallyport/imap')).createImapAdapter({ clock }),
  }),
  trial({
    name: 'pop3',
    backend: pop3Backend,
    over: 'socks5',
    mappings: 'tcp',
    create: async ({ clock }) => (await import('@sallyport/pop3')).createPop3Adapter({ clock }),
  }),
  trial({
    name: 'rfc (classic)',
    backend: classicRfcBackend,
    over: 'socks5',
    mappings: 'rfc',
    create: async ({ clock }) => {
      const { createClassicBinding, createRfcAdapter } = await import('@sallyport/rfc')
      return withGuest(createRfcAdapter({ clock, bindings: [createClassicBinding()] }))
    },
  }),
  trial({
    name: 'rfc (soap)',
    backend: soapBackend,
    over: 'http',
    mappings: 'http',
    create: async (deps) => {
      const { createRfcAdapter, createSoapBinding } = await import('@sallyport/rfc')
      const { createHttpAdapter } = await import('@sallyport/http')
      const connectHttp: ConnectSoapCarrier = (url, context) => {
        const properties = { Name: 'SOAP', Type: 'HTTP', URL: url, ProxyType: 'OnPremise', CloudConnectorLocationId: deps.location }
        return createHttpAdapter(deps).connect(parseDestination(properties) as HttpDestination, context)
      }
      return createRfcAdapter({ clock: deps.clock, bindings: [createSoapBinding({ connectHttp })] })
    },
  }),
]

/**
 * Why an adapter cannot run here: the library it stands on is not installed, which is the user's choice.
 *
 * @returns `undefined` when it can.
 */
export async function findMissingLibrary(given: AnyAdapterTrial, deps: TrialDeps): Promise<string | undefined> {
  const refused = new ConnectivityError('ABORTED', 'only whether the library is there is asked')
  try {
    const adapter = await given.create(deps)
    const client = await adapter.connect(given.backend.destination({ host: 'nowhere.invalid', port: 1 }), {
      dial: () => Promise.reject(refused),
      credentials: { kind: 'none' },
      signal: AbortSignal.timeout(1000),
      log: silentLogger,
    })
    try {
      await given.backend.work(client, AbortSignal.timeout(1000))
    } finally {
      await client[Symbol.asyncDispose]()
    }
  } catch (error) {
    const missing = ConnectivityError.is(error, 'CONFIGURATION_INVALID') || (error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND'
    // Where on this machine it was looked for is nobody's business who reads the report.
    return missing ? /^.*?(?= imported from |\n|$)/.exec((error as Error).message)?.[0] : undefined
  }
  return undefined
}
