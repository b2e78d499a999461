import { type Enrolment, enrolConnector, type OpenWay, type PairingProof } from '@sallyport/cloud-connector'
import { ConnectivityError, createSecret } from '@sallyport/core'
import type { SubaccountKey } from '../document/administered-subaccount.ts'
import { invalidRequest, RestError } from '../rest/rest-error.ts'
import type { AuthenticationData } from './authentication-data.ts'
import { type RegionService, trustOf } from './regions.ts'

/** Takes the place of the user where the password is a one-time code, in the spelling of the original. */
const passcodeUser = '$SAP-CP-SSO-PASSCODE$'

/** What an administrator shows the cloud side. */
export type CloudCredentials =
  | { readonly kind: 'user'; readonly user: string; readonly password: string }
  | { readonly kind: 'data'; readonly data: AuthenticationData }

/** Of this installation, and its way to the cloud side. */
export interface HandshakeDeps {
  readonly connectorId: string
  readonly openWay?: OpenWay | undefined
}

/**
 * Exchanges credentials for an identity of the subaccount.
 *
 * @throws RestError 400 when the cloud side does not accept them, 500 when it cannot be reached or is not the expected one.
 */
export async function handshake(
  { connectorId, openWay }: HandshakeDeps,
  target: SubaccountKey & { readonly service: RegionService; readonly locationId: string; readonly description: string },
  credentials: CloudCredentials,
): Promise<Enrolment> {
  const { description, locationId, service, subaccount } = target
  try {
    const enrolled = await enrolConnector({
      server: new URL(service.url),
      trust: trustOf(service),
      proof: proofOf(subaccount, credentials),
      connectorId,
      locationId,
      description: description.slice(0, 250),
      openWay,
    })
    return credentials.kind === 'user' && credentials.user !== passcodeUser ? { ...enrolled, user: credentials.user } : enrolled
  } catch (error) {
    if (!ConnectivityError.is(error)) throw error
    const at = `subaccount ${subaccount} at ${target.regionHost}`
    if (error.code === 'PAIRING_REFUSED' || error.code === 'MESSAGE_INVALID')
      throw invalidRequest(
        `the cloud side did not admit this connector to ${at} (417): check subaccount, user and password. ${error.message}`,
      )
    throw new RestError(500, 'RUNTIME_FAILURE', `no certificate for ${at}: ${error.message}`)
  }
}

/** The user may carry a second factor at the end of the password: it goes through as it is. */
function proofOf(subaccount: string, credentials: CloudCredentials): PairingProof {
  if (credentials.kind === 'data') return { code: credentials.data.code, subaccount }
  const { password, user } = credentials
  return user === passcodeUser ? { code: password, subaccount } : { subaccount, user, password: createSecret(password) }
}
