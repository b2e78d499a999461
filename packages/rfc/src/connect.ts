import { type Clock, ConnectivityError } from '@sallyport/core'
import { createTokenSource } from '@sallyport/destination-client'
import { type Connect, type ConnectOptions, createConnect, type ResolvedDestination } from '@sallyport/destination-client/connect'
import { type ClassicBindingOptions, createClassicBinding } from './classic/classic-binding.ts'
import { createNodeRfcBinding } from './node-rfc/node-rfc-binding.ts'
import { createRfcAdapter, type RfcAdapterOptions } from './rfc-adapter.ts'
import type { RfcBinding } from './rfc-binding.ts'
import type { RfcClient } from './rfc-client.ts'
import { createSoapBinding } from './soap/soap-binding.ts'
import type { ConnectSoapCarrier } from './soap/soap-carrier.ts'

/** What can be said besides; without `bindings` all three are there to choose from. */
export type RfcConnectOptions = Partial<Omit<RfcAdapterOptions, 'clock'>> & Pick<ClassicBindingOptions, 'allowPlaintext' | 'services'>

/** Connects to a destination of type RFC by its name; bindings, tokens and the way come from the environment. */
export const connect: Connect<RfcConnectOptions, RfcClient> = createConnect('RFC', (resolved, options, clock) =>
  createRfcAdapter({ ...options, clock, bindings: options.bindings ?? bindingsOf(resolved, options, clock) }),
)

/** All of them; destinations that one names are resolved as the first was. */
function bindingsOf(
  { another }: ResolvedDestination<'RFC'>,
  { allowPlaintext, services, ca }: RfcConnectOptions & Pick<ConnectOptions, 'ca'>,
  clock: Clock,
): readonly RfcBinding[] {
  const ports = services === undefined ? {} : { services }
  return [
    createNodeRfcBinding(ports),
    createClassicBinding({
      ...ports,
      ...(allowPlaintext === undefined ? {} : { allowPlaintext }),
      findRepository: (name, signal) => another(name, 'RFC', signal),
    }),
    createSoapBinding({
      connectHttp: carrierOf(another, clock),
      findDestination: async (name, signal) => (await another(name, 'RFC', signal)).destination,
      technicalPrincipal({ clientId, clientSecret, tokenUrl }) {
        const client = { clientId, proof: { kind: 'secret', secret: clientSecret }, tokenUrl, domain: undefined } as const
        const tokens = createTokenSource({ client, clock, ...(ca === undefined ? {} : { ca: [ca].flat() }) })
        return {
          get: async (signal) => ({ kind: 'technical', token: await tokens.get({ signal }) }),
          [Symbol.asyncDispose]: () => tokens[Symbol.asyncDispose](),
        }
      },
    }),
  ]
}

/** SOAP travels on an HTTP destination, whose adapter is an optional peer. */
function carrierOf(another: ResolvedDestination<'RFC'>['another'], clock: Clock): ConnectSoapCarrier {
  return async (name, context) => {
    const { destination, context: own, proxy, tls } = await another(name, 'HTTP', context.signal)
    const { createHttpAdapter } = await import('@sallyport/http').catch((cause: unknown) => {
      throw new ConnectivityError('CONFIGURATION_INVALID', 'calls over SOAP travel over HTTP: npm install @sallyport/http undici', {
        cause,
      })
    })
    const adapter = createHttpAdapter({ clock, tls, ...(proxy === undefined ? {} : { proxy }) })
    const credentials = context.credentials.kind === 'none' ? own.credentials : context.credentials
    return adapter.connect(destination, {
      ...own,
      credentials,
      ...(context.principal === undefined ? {} : { principal: context.principal }),
    })
  }
}
