import { ConnectivityError, credentialsOf, type RfcDestination, type RfcTechnicalUser } from '@sallyport/core'
import { createFunctionRepository } from '../function-repository.ts'
import type { RfcBinding, RfcClientContext, RfcConnections } from '../rfc-binding.ts'
import { loadXmlParser } from './load-xml-parser.ts'
import type { ConnectSoapCarrier } from './soap-carrier.ts'
import { createSoapCarriers, misconfigured, type PrincipalSource } from './soap-carriers.ts'
import { createSoapConnection, type SoapMetadata, type SoapNodes } from './soap-connection.ts'

/** How SOAP travels, and where it arrives. */
export interface SoapBindingOptions {
  readonly connectHttp: ConnectSoapCarrier
  /** Finds the destination of `jco.destination.repository_destination`. Without it such a destination is refused. */
  readonly findDestination?: (name: string, signal: AbortSignal) => Promise<RfcDestination>
  /** Tokens of the technical user of a destination (TechnicalUserPropagation), asked for before each request. Without it, and without a principal in the context, such a destination is refused. */
  readonly technicalPrincipal?: (user: RfcTechnicalUser) => PrincipalSource
  /** The default is `/sap/bc/soap/rfc`. */
  readonly callPath?: string
  /** The default is `/sap/bc/soap/wsdl`; newer systems also have `/sap/bc/soap/wsdl11`. */
  readonly wsdlPath?: string
  /** Value of the header; some kernels accept the empty one alone, which is the default. */
  readonly soapAction?: string
}

/** Calls function modules over SOAP (`/sap/bc/soap/rfc`), on an HTTP client that is handed in: the one binding that can act on behalf of a principal. */
export function createSoapBinding(options: SoapBindingOptions): RfcBinding {
  const { callPath = '/sap/bc/soap/rfc', wsdlPath = '/sap/bc/soap/wsdl', soapAction = '""' } = options
  return {
    name: 'soap',
    capabilities: { stateful: false, principalPropagation: true, secureNetwork: false, loadBalancing: false, webSocket: false },
    probe: () => loadXmlParser(),
    prepare: (client) => createSoapConnections(client, options, { callPath, wsdlPath, soapAction }),
  }
}

function createSoapConnections(
  { destination, context, clock, closed }: RfcClientContext,
  options: Pick<SoapBindingOptions, 'connectHttp' | 'findDestination' | 'technicalPrincipal'>,
  nodes: SoapNodes,
): RfcConnections {
  const { connectHttp, findDestination, technicalPrincipal } = options
  if (
    context.credentials.kind === 'principal' &&
    context.principal === undefined &&
    (destination.technicalUser === undefined || technicalPrincipal === undefined)
  ) {
    throw misconfigured(destination, 'it acts on behalf of a principal, and none is at hand')
  }
  const carriers = createSoapCarriers({ connectHttp, technicalPrincipal, context, closed })
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
