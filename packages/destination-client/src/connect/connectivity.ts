import {
  type Address,
  type Clock,
  type ConnectContext,
  ConnectivityError,
  createSecret,
  type Credentials,
  type Destination,
  type DestinationOf,
  type Dial,
  type Logger,
  type Secret,
  silentLogger,
} from '@sallyport/core'
import { createDirectDial, createProxyDial } from '@sallyport/dial'
import { type ConnectivityBinding, parseConnectivityBinding } from '../connectivity-binding.ts'
import { createDestinationClient, type FindOptions } from '../destination-client.ts'
import type { FoundDestination } from '../found-destination.ts'
import { selectBinding, type ServiceBinding } from '../service-binding.ts'
import { createTokenSource, type TokenSource } from '../token-source.ts'
import { type DestinationTls, destinationTls } from './destination-tls.ts'

/** The HTTP port of the connectivity proxy, with the tokens it asks for; for adapters that speak HTTP to on-premise targets. */
export interface ProxyRoute {
  readonly address: Address
  readonly tenant: string
  readonly token: (signal: AbortSignal) => Promise<Secret>
  readonly forget: (token: Secret) => void
}

/** Everything an adapter is given for one destination. */
export interface ResolvedDestination<T extends Destination['type']> {
  readonly destination: DestinationOf<T>
  readonly context: ConnectContext
  /** Only for on-premise destinations. */
  readonly proxy: ProxyRoute | undefined
  /** TLS to the target, as the key store and the trust store of the destination say. */
  readonly tls: DestinationTls
  /** Resolves another destination that this one names, on behalf of the same user and tenant. */
  readonly another: <Other extends Destination['type']>(
    name: string,
    type: Other,
    signal: AbortSignal,
  ) => Promise<ResolvedDestination<Other>>
}

/** On whose behalf a destination is resolved, and until when. */
export interface ResolveOptions extends Pick<FindOptions, 'userToken' | 'tenant' | 'flow'> {
  readonly signal: AbortSignal
  readonly log?: Logger
}

/** Destinations of one application, and the ways to them. Whoever made it disposes it, after the clients that were connected with it. */
export interface Connectivity extends AsyncDisposable {
  /**
   * @throws ConnectivityError as `DestinationClient.find` does; `DESTINATION_INVALID` for a destination of another type, and
   * `BINDING_INVALID` where an on-premise destination finds no connectivity binding.
   */
  resolve<T extends Destination['type']>(name: string, type: T, options: ResolveOptions): Promise<ResolvedDestination<T>>
}

/** What the application is bound to. */
export interface ConnectivityOptions {
  readonly bindings: readonly ServiceBinding[]
  readonly clock: Clock
  /** Name of the binding where the application has several of the service. */
  readonly destinationBinding?: string
  readonly connectivityBinding?: string
  /** PEM certificates of authorities to trust besides Node's own, for the services; targets have their own settings. */
  readonly ca?: readonly string[]
}

/** Looks nothing up and connects nowhere before the first destination is resolved. */
export function createConnectivity(options: ConnectivityOptions): Connectivity {
  const { bindings, clock, destinationBinding, connectivityBinding } = options
  const ca = options.ca === undefined ? {} : { ca: options.ca }
  const service = selectBinding(bindings, nameOf('destination', destinationBinding))
  const client = createDestinationClient({ bindings: [service], clock, ...ca })
  const direct = createDirectDial()
  let gate: { readonly binding: ConnectivityBinding; readonly tokens: TokenSource } | undefined

  /** Made when the first on-premise destination needs it: whoever has none needs no binding. */
  const openGate = (name: string): NonNullable<typeof gate> => {
    if (gate !== undefined) return gate
    try {
      const binding = parseConnectivityBinding(selectBinding(bindings, nameOf('connectivity', connectivityBinding)))
      gate = { binding, tokens: createTokenSource({ client: binding.client, clock, ...ca }) }
      return gate
    } catch (error) {
      throw new ConnectivityError('BINDING_INVALID', `destination "${name}" is on-premise: ${messageOf(error)}`, { cause: error })
    }
  }

  const connectivity: Connectivity = {
    async resolve<T extends Destination['type']>(name: string, type: T, request: ResolveOptions): Promise<ResolvedDestination<T>> {
      const { signal, log = silentLogger, ...who } = request
      const { userToken, tenant } = who
      const found = await client.find(name, { ...who, signal })
      const destination = ofType(found.destination, type)
      const common = {
        destination,
        tls: destinationTls(found),
        another: <Other extends Destination['type']>(other: string, otherType: Other, abort: AbortSignal) =>
          connectivity.resolve(other, otherType, { ...request, signal: abort }),
      }
      const context = {
        credentials: forwarded(found, userToken) ?? found.credentials,
        renewCredentials: async (abort: AbortSignal): Promise<Credentials> => {
          const fresh = await client.find(name, { ...who, fresh: true, signal: abort })
          return forwarded(fresh, userToken) ?? fresh.credentials
        },
        ...(userToken === undefined ? {} : { principal: { kind: 'business', token: userToken } as const }),
        signal,
        log,
      }
      if (destination.proxyType !== 'OnPremise') return { ...common, context: { ...context, dial: direct }, proxy: undefined }
      const { binding, tokens } = openGate(name)
      const token = (abort: AbortSignal): Promise<Secret> => tokens.get({ signal: abort, ...(tenant === undefined ? {} : { tenant }) })
      const proxy = { address: binding.httpProxy, tenant: tenant ?? '', token, forget: tokens.forget }
      // HTTP goes to the proxy's HTTP port, which is reached directly; everything else goes through its SOCKS5 port.
      const dial = type === 'HTTP' ? direct : socksDial(name, binding, token)
      return { ...common, context: { ...context, dial }, proxy }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([client[Symbol.asyncDispose](), gate?.tokens[Symbol.asyncDispose]()])
    },
  }
  return connectivity
}

function nameOf(service: string, name: string | undefined): { readonly service: string; readonly name?: string } {
  return { service, ...(name === undefined ? {} : { name }) }
}

/** The user's own token, where the destination says that its target takes it (`forwardAuthToken`) and names nothing else to present. */
function forwarded({ destination, credentials }: FoundDestination, userToken: Secret | undefined): Credentials | undefined {
  const forwards = destination.properties['forwardAuthToken']?.toLowerCase() === 'true'
  if (!forwards || userToken === undefined || credentials.kind !== 'none') return undefined
  return { kind: 'header', name: 'authorization', value: createSecret(`Bearer ${userToken.reveal()}`) }
}

function ofType<T extends Destination['type']>(destination: Destination, type: T): DestinationOf<T> {
  if (destination.type === type) return destination as DestinationOf<T>
  throw new ConnectivityError(
    'DESTINATION_INVALID',
    `destination "${destination.name}" is of type ${destination.type}, and this client connects to destinations of type ${type}`,
  )
}

function socksDial(name: string, { socks5Proxy }: ConnectivityBinding, token: (signal: AbortSignal) => Promise<Secret>): Dial {
  if (socks5Proxy === undefined) {
    throw new ConnectivityError(
      'BINDING_INVALID',
      `destination "${name}" is on-premise and not HTTP, and the connectivity binding names no SOCKS5 port (onpremise_socks5_proxy_port)`,
    )
  }
  return createProxyDial({ kind: 'socks5', proxy: socks5Proxy, token })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
