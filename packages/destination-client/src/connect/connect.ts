import {
  type Clock,
  createSecret,
  type Destination,
  type Logger,
  type ProtocolAdapter,
  type ProtocolClient,
  type Secret,
} from '@sallyport/core'
import type { FlowInput } from '../flow-input.ts'
import { connectByNameTimeoutMs } from '../limits.ts'
import { application } from './application.ts'
import { type Connectivity, createConnectivity, type ResolvedDestination } from './connectivity.ts'

/** What every `connect` understands; each adapter adds what is its own. */
export interface ConnectOptions {
  /** The user on whose behalf: a JSON Web Token without scheme. */
  readonly userToken?: string | Secret
  /** A subscriber's tenant; the default is the tenant of the binding. */
  readonly tenant?: string
  /** What the authentication type of the destination asks for besides the user. */
  readonly flow?: FlowInput
  /** Shared by several clients, with its caches; the caller disposes it. Without it, each client has one of its own. */
  readonly connectivity?: Connectivity
  /** Names of the bindings where the application has several of a service. */
  readonly destinationBinding?: string
  readonly connectivityBinding?: string
  /** PEM certificates of authorities to trust besides Node's own, for the services: one text, or several. */
  readonly ca?: string | readonly string[]
  readonly log?: Logger
  /** Ends the attempt to connect; the default allows it thirty seconds. */
  readonly signal?: AbortSignal
}

/** Resolves a destination by name and connects to it. Disposing the client closes everything that was opened for it. */
export type Connect<Own extends object, Client extends ProtocolClient> = (name: string, options?: ConnectOptions & Own) => Promise<Client>

/** Makes the adapter for one destination, with the options of the caller. */
export type AdapterOf<T extends Destination['type'], Own extends object, Client extends ProtocolClient> = (
  resolved: ResolvedDestination<T>,
  options: ConnectOptions & Partial<Own>,
  clock: Clock,
) => ProtocolAdapter<T, Client>

/**
 * Makes the `connect` of one protocol. Bindings come from the environment as `readBindings` finds them, unless the caller
 * shares a {@link Connectivity}.
 *
 * @throws ConnectivityError what resolving and connecting throw; nothing stays open then.
 */
export function createConnect<T extends Destination['type'], Own extends object, Client extends ProtocolClient>(
  type: T,
  adapterOf: AdapterOf<T, Own, Client>,
): Connect<Own, Client> {
  return async (name, options = {} as ConnectOptions & Own) => {
    const { userToken, tenant, flow, log, signal = AbortSignal.timeout(connectByNameTimeoutMs) } = options
    const connectivity = options.connectivity ?? (await openConnectivity(options))
    const isOwn = options.connectivity === undefined
    try {
      const resolved = await connectivity.resolve(name, type, {
        signal,
        ...(userToken === undefined ? {} : { userToken: typeof userToken === 'string' ? createSecret(userToken) : userToken }),
        ...(tenant === undefined ? {} : { tenant }),
        ...(flow === undefined ? {} : { flow }),
        ...(log === undefined ? {} : { log }),
      })
      const client = await adapterOf(resolved, options, application.clock).connect(resolved.destination, resolved.context)
      return isOwn ? closingBoth(client, connectivity) : client
    } catch (error) {
      if (isOwn) await connectivity[Symbol.asyncDispose]()
      throw error
    }
  }
}

/** A {@link Connectivity} of the bindings in the environment, to be shared by several clients. The caller disposes it. */
export async function openConnectivity({
  destinationBinding,
  connectivityBinding,
  ca,
}: Pick<ConnectOptions, 'destinationBinding' | 'connectivityBinding' | 'ca'> = {}): Promise<Connectivity> {
  return createConnectivity({
    bindings: await application.bindings(),
    clock: application.clock,
    ...(destinationBinding === undefined ? {} : { destinationBinding }),
    ...(connectivityBinding === undefined ? {} : { connectivityBinding }),
    ...(ca === undefined ? {} : { ca: [ca].flat() }),
  })
}

/** The client with a longer end: what was opened to find its destination is closed after it. */
function closingBoth<Client extends ProtocolClient>(client: Client, connectivity: Connectivity): Client {
  return Object.create(client, {
    [Symbol.asyncDispose]: {
      value: async () => {
        try {
          await client[Symbol.asyncDispose]()
        } finally {
          await connectivity[Symbol.asyncDispose]()
        }
      },
    },
  }) as Client
}
