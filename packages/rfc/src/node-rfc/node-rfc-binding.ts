import { ConnectivityError, underSignal } from '@sallyport/core'
import { createFunctionRepository } from '../function-repository.ts'
import type { RfcBinding, RfcClientContext, RfcConnection, RfcConnections } from '../rfc-binding.ts'
import { serverAddress, type ServiceNumbers } from '../server-address.ts'
import { openBridgedWay } from './bridge-parameters.ts'
import { directParameters, logonParameters } from './connection-parameters.ts'
import { closeClient, createNodeRfcConnection } from './node-rfc-connection.ts'
import { nodeRfcError } from './node-rfc-errors.ts'
import { importNodeRfc, loadNodeRfc, type NodeRfcModule } from './node-rfc-module.ts'

/** Where the library comes from, and what it cannot find out. */
export interface NodeRfcBindingOptions {
  /** Numbers of services of message servers, for destinations behind a connector. */
  readonly services?: ServiceNumbers
  /** Loads the library; the default is what `require('node-rfc')` finds. */
  readonly importModule?: () => Promise<unknown>
}

/**
 * Calls function modules with SAP's own library, by node-rfc: an optional peer that needs the SAP NW RFC SDK. On-premise it is led through the dial by a local port;
 * otherwise it connects by itself.
 */
export function createNodeRfcBinding({ services = {}, importModule = importNodeRfc }: NodeRfcBindingOptions = {}): RfcBinding {
  return {
    name: 'node-rfc',
    capabilities: { stateful: true, principalPropagation: false, secureNetwork: true, loadBalancing: true, webSocket: true },
    async probe() {
      const loaded = await loadNodeRfc(importModule)
      return loaded.available ? { available: true } : { available: false, reason: loaded.reason }
    },
    prepare(client) {
      refuseUnreachable(client, services)
      return createConnections(client, services, importModule)
    },
  }
}

function createConnections(
  { destination, context, clock }: RfcClientContext,
  services: ServiceNumbers,
  importModule: () => Promise<unknown>,
): RfcConnections {
  const { credentials } = context
  const name = `destination "${destination.name}"`
  const isBridged = destination.proxyType === 'OnPremise'
  const secret = credentials.kind === 'basic' ? credentials.password.reveal() : undefined
  const repository = createFunctionRepository({ clock, maxAgeMs: destination.repository.checkIntervalMinutes * 60_000 })
  const timeout = destination.callTimeoutMs === 0 ? {} : { timeout: Math.ceil(destination.callTimeoutMs / 1000) }
  warnOfIgnored({ destination, context })

  const connect = async ({ Client }: NodeRfcModule, signal: AbortSignal): Promise<RfcConnection> => {
    const attempt = `log on to ${name}`
    const way = isBridged ? await openBridgedWay(destination, context, services, signal) : undefined
    const server = way === undefined ? directParameters(destination) : way.parameters
    const bridge = way?.bridge
    try {
      const client = new Client({ ...server, ...logonParameters(destination, credentials) }, { bcd: 'string', ...timeout })
      try {
        await underSignal(client.open(), signal, attempt)
        return createNodeRfcConnection({ client, bridge, repository, name, secret })
      } catch (error) {
        void closeClient(client)
        throw error
      }
    } catch (error) {
      await bridge?.[Symbol.asyncDispose]()
      throw nodeRfcError(error, { attempt, requestSent: false, secret, wayFailure: bridge?.failure })
    }
  }

  return {
    async open(signal) {
      const loaded = await loadNodeRfc(importModule)
      if (loaded.module === undefined) throw new ConnectivityError('CONFIGURATION_INVALID', `${name}: node-rfc cannot be loaded any more`)
      return connect(loaded.module, signal)
    },
    // Connections are closed by those who opened them.
    async [Symbol.asyncDispose]() {},
  }
}

/** What nothing on this machine can lead to. */
function refuseUnreachable({ destination }: RfcClientContext, services: ServiceNumbers): void {
  if (destination.proxyType !== 'OnPremise') return
  const invalid = (what: string): ConnectivityError =>
    new ConnectivityError('DESTINATION_INVALID', `destination "${destination.name}": ${what}`, {
      details: { destination: destination.name },
    })
  if (destination.saprouter !== undefined) {
    throw invalid('jco.client.saprouter is not for proxy type OnPremise; the mapping of the connector has the route')
  }
  if (destination.gateway !== undefined) throw invalid('jco.client.gwhost and gwserv are not for proxy type OnPremise; map that gateway')
  if (destination.secureNetwork !== undefined) {
    throw invalid(
      'jco.client.snc_mode is not for proxy type OnPremise: the tunnel is encrypted, and behind it SNC is a matter of the connector',
    )
  }
  serverAddress(destination, services)
}

function warnOfIgnored({ destination, context }: Pick<RfcClientContext, 'destination' | 'context'>): void {
  const { repository } = destination
  if (repository.destination !== undefined || repository.user !== undefined) {
    context.log.warn(
      { destination: destination.name },
      'the SDK looks function modules up by itself, jco.destination.repository has no effect',
    )
  }
}
