import { type ConnectContext, ConnectivityError, type RfcDestination, withDeadline } from '@sallyport/core'
import { createFunctionRepository } from '../function-repository.ts'
import { repositoryTimeoutMs } from '../limits.ts'
import type { RfcBinding, RfcClientContext, RfcConnections } from '../rfc-binding.ts'
import { serverAddress, type ServiceNumbers } from '../server-address.ts'
import {
  createClassicConnection,
  createDescribedConnection,
  type DescribedConnection,
  type DescribeFunction,
} from './classic-connection.ts'
import { type ClassicLogon, invalidDestination, parseClassicLogon, parseRepositoryLogon } from './classic-logon.ts'
import { type ClientIdentity, openConversation } from './conversation.ts'
import { logOn } from './log-on.ts'
import { lookUpFunction } from './look-up-function.ts'
import { type GatewayWay, reachGateway } from './reach-gateway.ts'
import { parseRoute } from './route.ts'

/** What is the same for every client of the binding. */
export interface ClassicBindingOptions {
  /**
   * Logs on over connections that no connector carries, where whoever reads the wire reads the password: the protocol only scrambles it. For networks that are
   * private by themselves. The default is false.
   */
  readonly allowPlaintext?: boolean
  /** Ports of services, for destinations that name a message server by `jco.client.r3name`. */
  readonly services?: ServiceNumbers
  /** Finds the destination that `jco.destination.repository_destination` names, and how it is reached. */
  readonly findRepository?: (name: string, signal: AbortSignal) => Promise<RepositoryTarget>
  /** How the program appears in the system; the default is `sallyport` for both. */
  readonly identity?: ClientIdentity
}

/** A destination for descriptions alone. */
export interface RepositoryTarget {
  readonly destination: RfcDestination
  readonly context: Pick<ConnectContext, 'dial' | 'credentials'>
}

/**
 * Makes the binding `classic`: RFC as SAP's own libraries speak it, in TypeScript, for logons with user and password at Unicode systems. Values go row by row. It
 * speaks no SNC, so nothing but the network protects what it sends; see `allowPlaintext`.
 *
 * @throws TypeError for an identity that the protocol cannot carry.
 */
export function createClassicBinding(options: ClassicBindingOptions = {}): RfcBinding {
  const { program, hostName } = options.identity ?? defaultIdentity
  if (![program, hostName].every((name) => /^[\x21-\x7e]{1,64}$/.test(name)))
    throw new TypeError('identity: names have 1 to 64 printable ASCII characters')
  return {
    name: 'classic',
    capabilities: { stateful: true, principalPropagation: false, secureNetwork: false, loadBalancing: true, webSocket: false },
    probe: async () => ({ available: true }),
    prepare: (client) => prepareConnections(client, options),
  }
}

function prepareConnections(client: RfcClientContext, options: ClassicBindingOptions): RfcConnections {
  const { destination, context, clock } = client
  const login = createLogin(destination, context, client, options)
  const repository = createFunctionRepository({ clock, maxAgeMs: destination.repository.checkIntervalMinutes * 60_000 })
  const name = `destination "${destination.name}"`
  const logon = parseClassicLogon(destination, context.credentials)
  const repositoryLogon = parseRepositoryLogon(destination)
  if (destination.columnBased) {
    context.log.warn(
      { destination: destination.name },
      'jco.client.serialization_format columnBased is not known to the binding classic; it sends rows',
    )
  }

  /** Where descriptions are looked up, if not on the connection that needs them. */
  async function openRepository(signal: AbortSignal): Promise<DescribedConnection | undefined> {
    const { destination: repositoryName } = destination.repository
    if (repositoryName === undefined) return repositoryLogon === undefined ? undefined : login(repositoryLogon, signal)
    if (repositoryName === destination.name) return undefined
    if (options.findRepository === undefined) {
      throw invalidDestination(
        destination,
        `jco.destination.repository_destination is ${repositoryName}, and the binding was made without findRepository`,
      )
    }
    const target = await options.findRepository(repositoryName, signal)
    const loginThere = createLogin(target.destination, target.context, client, options)
    return loginThere(parseRepositoryLogon(target.destination) ?? parseClassicLogon(target.destination, target.context.credentials), signal)
  }

  const describe: DescribeFunction = (functionName, own, signal) =>
    repository.describe(functionName, async () => {
      const attempt = `look up ${functionName} for ${name}`
      const bounded = withDeadline(repositoryTimeoutMs, signal)
      const separate = await openRepository(bounded)
      const connection = separate ?? own
      try {
        return await lookUpFunction(
          functionName,
          (each, values) => connection.call(each, values, { signal: bounded, notRequested: [], isCall: false }),
          attempt,
        )
      } finally {
        await separate?.close()
      }
    })

  return {
    async open(signal) {
      const connection = await login(logon, AbortSignal.any([signal, client.closed]))
      return createClassicConnection(destination.trace ? traced(connection, client) : connection, describe)
    },
    // Connections are closed by those who opened them.
    async [Symbol.asyncDispose]() {},
  }
}

/** Connects and logs on as somebody. */
type Login = (logon: ClassicLogon, signal: AbortSignal) => Promise<DescribedConnection>

/** @throws ConnectivityError for what is wrong with the destination, before anything is opened. */
function createLogin(
  destination: RfcDestination,
  { dial }: Pick<ConnectContext, 'dial'>,
  { clock }: Pick<RfcClientContext, 'clock'>,
  { allowPlaintext = false, services = {}, identity = defaultIdentity }: ClassicBindingOptions,
): Login {
  const { server } = destination
  if (server.kind === 'websocket')
    throw invalidDestination(destination, 'jco.client.wshost: the binding classic does not speak WebSocket RFC')
  if (!allowPlaintext && destination.proxyType !== 'OnPremise') throw plaintextError(destination)
  serverAddress(destination, services)
  requireAscii(destination)
  const way: GatewayWay = { destination, dial, clock, services, route: parseRoute(destination, services) }
  const name = `destination "${destination.name}"`
  return async (logon, signal) => {
    const attempt = `log on to ${name}`
    const conversation = await openConversation(await reachGateway(way, signal), identity, attempt, signal)
    try {
      await logOn(conversation, logon, { ...identity, destination: destination.name }, attempt, signal)
      return createDescribedConnection(conversation, name)
    } catch (error) {
      await conversation.close()
      throw error
    }
  }
}

/** What stands in records besides the logon: their fields have no other characters. */
function requireAscii(destination: RfcDestination): void {
  const { server, gateway } = destination
  const texts = {
    'jco.client.ashost or mshost': server.host,
    'jco.client.gwhost': gateway?.host,
    'jco.client.group': server.kind === 'message-server' ? server.group : undefined,
  }
  for (const [property, text] of Object.entries(texts)) {
    if (text !== undefined && !/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text)) {
      throw invalidDestination(destination, `${property} has other characters than printable ASCII, and the binding classic has no others`)
    }
  }
}

const defaultIdentity: ClientIdentity = { program: 'sallyport', hostName: 'sallyport' }

/** PR-115 */
function plaintextError({ name, proxyType }: RfcDestination): ConnectivityError {
  return new ConnectivityError(
    'CONFIGURATION_INVALID',
    `destination "${name}": with proxy type ${proxyType} the password would travel readable for everybody on the way; make the binding classic with allowPlaintext if the network is private by itself, or use node-rfc with SNC`,
    { details: { destination: name } },
  )
}

/** Tells which functions are called and how long they take, and nothing of what they are given. */
function traced(connection: DescribedConnection, { destination, context, clock }: RfcClientContext): DescribedConnection {
  return {
    get isAlive() {
      return connection.isAlive
    },
    async call(description, parameters, options) {
      const beganMs = clock.now()
      try {
        return await connection.call(description, parameters, options)
      } finally {
        const fields = { destination: destination.name, functionName: description.name, durationMs: clock.now() - beganMs }
        context.log.debug(fields, 'RFC function called')
      }
    },
    ping: (signal) => connection.ping(signal),
    reset: (signal) => connection.reset(signal),
    close: () => connection.close(),
  }
}
