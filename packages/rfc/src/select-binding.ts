import { ConnectivityError, type Credentials, type RfcBindingName, type RfcDestination } from '@sallyport/core'
import type { RfcBinding } from './rfc-binding.ts'

/** The binding that executes the calls of a client. */
export interface RfcChoice {
  readonly binding: RfcBinding
  readonly skipped: readonly RfcSkipped[]
}

/** A binding that was not taken. */
export interface RfcSkipped {
  readonly binding: RfcBindingName
  readonly reason: string
}

/** What the choice depends on. */
export interface RfcNeeds {
  readonly destination: RfcDestination
  readonly credentials: Credentials
  /** The application is going to use `withSession`. */
  readonly stateful: boolean
  readonly bindings: readonly RfcBinding[]
}

/** SOAP where an administrator has prepared it, then SAP's own engine, then ours. */
const order: readonly RfcBindingName[] = ['soap', 'node-rfc', 'classic']

/**
 * Chooses by what the destination needs, before a byte is sent (protocols.md 15.4). A destination that names its binding gets that one or an error.
 *
 * @throws ConnectivityError `DESTINATION_INVALID` with the reason of every binding, or `CONFIGURATION_INVALID` for a binding that is not installed.
 */
export async function selectBinding(needs: RfcNeeds): Promise<RfcChoice> {
  const { destination, bindings } = needs
  const candidates = destination.binding === undefined ? order : [destination.binding]
  const skipped: RfcSkipped[] = []
  let isMissing = false
  for (const name of candidates) {
    const binding = bindings.find((each) => each.name === name)
    if (binding === undefined) {
      skipped.push({ binding: name, reason: 'the adapter was made without it' })
      continue
    }
    const unsuited = whyNot(binding, needs)
    if (unsuited !== undefined) {
      skipped.push({ binding: name, reason: unsuited })
      continue
    }
    const availability = await binding.probe()
    if (availability.available) return { binding, skipped }
    isMissing = true
    skipped.push({ binding: name, reason: availability.reason })
  }
  const reasons = skipped.map(({ binding, reason }) => `${binding}: ${reason}`).join('; ')
  throw new ConnectivityError(
    isMissing ? 'CONFIGURATION_INVALID' : 'DESTINATION_INVALID',
    `destination "${destination.name}": no RFC binding can be used. ${reasons}`,
    { details: { destination: destination.name } },
  )
}

/** Why a binding does not fit; `undefined` if it does. */
function whyNot({ name, capabilities }: RfcBinding, { destination, credentials, stateful }: RfcNeeds): string | undefined {
  const { server, secureNetwork, logon, authentication } = destination
  if (server.kind === 'websocket' && !capabilities.webSocket) return 'it does not speak WebSocket RFC (jco.client.wshost)'
  if ((credentials.kind === 'principal' || authentication !== 'CONFIGURED_USER') && !capabilities.principalPropagation) {
    return 'it cannot act on behalf of a principal (jco.destination.auth_type)'
  }
  if (secureNetwork !== undefined && !capabilities.secureNetwork) return 'it does not speak SNC (jco.client.snc_mode)'
  if (stateful && !capabilities.stateful) return 'it keeps no state between calls, and the application asks for that'
  if (name === 'soap' && destination.soapDestination === undefined) return 'jco.destination.x.soap_destination is missing'
  // Whoever names a binding knows why.
  if (destination.binding !== undefined || name === 'node-rfc') return undefined
  if (logon.ticket !== undefined || logon.certificate !== undefined || logon.externalId !== undefined) {
    return 'it is not chosen for a logon with a ticket, a certificate or an external ID'
  }
  if (name === 'soap') return undefined
  if (credentials.kind !== 'basic') return 'it logs on with jco.client.user and jco.client.passwd alone'
  return destination.columnBased ? 'it speaks row by row alone (jco.client.serialization_format)' : undefined
}
