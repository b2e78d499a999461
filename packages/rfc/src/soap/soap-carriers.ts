import {
  abortedError,
  ConnectivityError,
  type ConnectContext,
  type Principal,
  type RfcDestination,
  type RfcTechnicalUser,
  underSignal,
  withDeadline,
} from '@sallyport/core'
import { connectTimeoutMs } from '../limits.ts'
import type { ConnectSoapCarrier, SoapCarrier } from './soap-carrier.ts'
import { carrierError } from './soap-exchange.ts'

/** Tokens of a technical user. Whoever made it disposes it; caching and renewal are its own. */
export interface PrincipalSource extends AsyncDisposable {
  get(signal: AbortSignal): Promise<Principal>
}

/** HTTP clients of one RFC client: one for each HTTP destination and user, opened when it is needed. */
export interface SoapCarriers extends AsyncDisposable {
  of(destination: RfcDestination, credentials: ConnectContext['credentials'], signal: AbortSignal): Promise<SoapCarrier>
}

/** How carriers are made, and for whom. */
export interface SoapCarriersDeps {
  readonly connectHttp: ConnectSoapCarrier
  readonly technicalPrincipal: ((user: RfcTechnicalUser) => PrincipalSource) | undefined
  readonly context: ConnectContext
  readonly closed: AbortSignal
}

/** Makes them; nothing is connected yet. */
export function createSoapCarriers({ connectHttp, technicalPrincipal, context, closed }: SoapCarriersDeps): SoapCarriers {
  const opened = new Map<string, Promise<SoapCarrier>>()

  async function connect(name: string, { technicalUser }: RfcDestination, connecting: ConnectContext): Promise<SoapCarrier> {
    const carrier = await connectHttp(name, connecting)
    if (technicalUser === undefined || technicalPrincipal === undefined || context.principal !== undefined) return carrier
    return onBehalf(carrier, technicalPrincipal(technicalUser))
  }

  /** Many may wait for one opening, so that it ends with none of them. */
  async function open(attempt: string, work: (own: AbortSignal) => Promise<SoapCarrier>): Promise<SoapCarrier> {
    const own = withDeadline(connectTimeoutMs, closed)
    try {
      return await work(own)
    } catch (error) {
      throw own.aborted ? abortedError(own, attempt) : carrierError(attempt, error)
    }
  }

  return {
    async of(destination, credentials, signal) {
      const name = destination.soapDestination
      if (name === undefined) throw misconfigured(destination, 'jco.destination.x.soap_destination is missing')
      const key = JSON.stringify([name, destination.name, credentials === context.credentials])
      const attempt = `connect to the HTTP destination "${name}" of destination "${destination.name}"`
      if (closed.aborted) throw abortedError(closed, attempt)
      if (signal.aborted) throw abortedError(signal, attempt)
      const shared = opened.get(key)
      if (shared !== undefined) return underSignal(shared, signal, attempt)
      const opening = open(attempt, (own) => connect(name, destination, { ...context, credentials, signal: own }))
      opened.set(key, opening)
      void opening.catch(() => {
        if (opened.get(key) === opening) opened.delete(key)
      })
      return underSignal(opening, signal, attempt)
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

/** A token lives shorter than a client, so that each request has the one of its moment. */
function onBehalf(carrier: SoapCarrier, principals: PrincipalSource): SoapCarrier {
  return {
    request: async (path, options) => carrier.request(path, { ...options, principal: await principals.get(options.signal) }),
    async [Symbol.asyncDispose]() {
      await Promise.all([carrier[Symbol.asyncDispose](), principals[Symbol.asyncDispose]()])
    },
  }
}

/** What a destination lacks, or has too much. */
export function misconfigured({ name }: RfcDestination, what: string): ConnectivityError {
  return new ConnectivityError('DESTINATION_INVALID', `destination "${name}": ${what}`, { details: { destination: name } })
}
