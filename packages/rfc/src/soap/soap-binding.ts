import { abortedError, ConnectivityError, type ConnectContext, credentialsOf, type RfcDestination } from '@sallyport/core'
import { createFunctionRepository } from '../function-repository.ts'
import type { RfcBinding, RfcClientContext, RfcConnections } from '../rfc-binding.ts'
import { loadXmlParser } from './load-xml-parser.ts'
import type { ConnectSoapCarrier, SoapCarrier } from './soap-carrier.ts'
import { createSoapConnection, type SoapMetadata, type SoapNodes } from './soap-connection.ts'
import { carrierError } from './soap-exchange.ts'

/** How SOAP travels, and where it arrives. */
export interface SoapBindingOptions {
  readonly connectHttp: ConnectSoapCarrier
  /** Finds the destination of `jco.destination.repository_destination`. Without it such a destination is refused. */
  readonly findDestination?: (name: string, signal: AbortSignal) => Promise<RfcDestination>
  /** The default is `/sap/bc/soap/rfc`. */
  readonly callPath?: string
  /** The default is `/sap/bc/soap/wsdl`; newer systems also have `/sap/bc/soap/wsdl11`. */
  readonly wsdlPath?: string
  /** Value of the header; some kernels accept the empty one alone, which is the default. */
  readonly soapAction?: string
}

/** Calls function modules over SOAP (`/sap/bc/soap/rfc`), on an HTTP client that is handed in: the one binding that can act on behalf of a principal. */
export function createSoapBinding({
  connectHttp,
  findDestination,
  callPath = '/sap/bc/soap/rfc',
  wsdlPath = '/sap/bc/soap/wsdl',
  soapAction = '""',
}: SoapBindingOptions): RfcBinding {
  return {
    name: 'soap',
    capabilities: { stateful: false, principalPropagation: true, secureNetwork: false, loadBalancing: false, webSocket: false },
    probe: () => loadXmlParser(),
    prepare: (client) => createSoapConnections(client, { connectHttp, findDestination }, { callPath, wsdlPath, soapAction }),
  }
}

function createSoapConnections(
  { destination, context, clock, closed }: RfcClientContext,
  {
    connectHttp,
    findDestination,
  }: Pick<SoapBindingOptions, 'connectHttp'> & { readonly findDestination: SoapBindingOptions['findDestination'] },
  nodes: SoapNodes,
): RfcConnections {
  const carriers = createCarriers(connectHttp, context, closed)
  const repository = createFunctionRepository({ clock, maxAgeMs: destination.repository.checkIntervalMinutes * 60_000 })
  const undescribed = { isKnown: false }

  /** Another destination, another user of the same one, or simply the one that is called. */
  async function metadata(signal: AbortSignal): Promise<SoapMetadata> {
    const { destination: other, user, password } = destination.repository
    if (other !== undefined) {
      if (findDestination === undefined)
        throw misconfigured(destination, 'jco.destination.repository_destination is set, and the binding was made without findDestination')
      const found = await findDestination(other, signal)
      return { destination: found, carrier: await carriers.of(found, credentialsOf(found.properties), signal) }
    }
    const credentials = user === undefined || password === undefined ? context.credentials : ({ kind: 'basic', user, password } as const)
    return { destination, carrier: await carriers.of(destination, credentials, signal) }
  }

  return {
    async open(signal) {
      const { Parser } = await loadXmlParser()
      if (Parser === undefined) throw new ConnectivityError('CONFIGURATION_INVALID', 'saxes cannot be loaded; install it')
      const carrier = await carriers.of(destination, context.credentials, signal)
      return createSoapConnection({ destination, carrier, metadata, repository, undescribed, Parser, nodes, log: context.log })
    },
    [Symbol.asyncDispose]: () => carriers[Symbol.asyncDispose](),
  }
}

interface Carriers extends AsyncDisposable {
  of(destination: RfcDestination, credentials: ConnectContext['credentials'], signal: AbortSignal): Promise<SoapCarrier>
}

/** HTTP clients of one RFC client: one for each HTTP destination and user, opened when it is needed. */
function createCarriers(connectHttp: ConnectSoapCarrier, context: ConnectContext, closed: AbortSignal): Carriers {
  const opened = new Map<string, Promise<SoapCarrier>>()
  return {
    async of(destination, credentials, signal) {
      const name = destination.soapDestination
      if (name === undefined) throw misconfigured(destination, 'jco.destination.x.soap_destination is missing')
      const key = JSON.stringify([name, destination.name, credentials === context.credentials])
      const attempt = `connect to the HTTP destination "${name}" of destination "${destination.name}"`
      if (closed.aborted) throw abortedError(closed, attempt)
      const opening = opened.get(key) ?? connectHttp(name, { ...context, credentials, signal })
      opened.set(key, opening)
      try {
        return await opening
      } catch (error) {
        opened.delete(key)
        throw signal.aborted ? abortedError(signal, attempt) : carrierError(attempt, error)
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(
        Array.from(opened.values(), async (opening) => {
          // One that could not be opened has nothing to close, and whoever asked for it knows.
          const carrier = await opening.catch(() => undefined)
          await carrier?.[Symbol.asyncDispose]()
        }),
      )
    },
  }
}

function misconfigured({ name }: RfcDestination, what: string): ConnectivityError {
  return new ConnectivityError('DESTINATION_INVALID', `destination "${name}": ${what}`, { details: { destination: name } })
}
