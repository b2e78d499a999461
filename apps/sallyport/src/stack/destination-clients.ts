import type { DestinationAdminClient, DestinationAdminClientOptions, DestinationAdministration } from '@sallyport/admin-api'
import { ConnectivityError } from '@sallyport/core'
import { askControl, requireRunning } from '../control/control-client.ts'
import { readAuthority, readBindings } from './binding-files.ts'
import type { DataFolder } from './data-folder.ts'
import { createRequester, type Requester } from './request.ts'
import { fetchToken, type IssuedToken } from './tokens.ts'

/** In whose name the destination service is asked. Nobody in particular: the client of the binding, which may do everything. */
export interface AskedAs {
  /** A user, with the roles that his groups give. */
  readonly user?: string | undefined
  /** Another subaccount than that of the binding. */
  readonly tenant?: string | undefined
}

/** Works with the REST API of the destination service, as an application does. */
export function withDestinationClient<T>(folder: DataFolder, work: (client: DestinationAdminClient) => Promise<T>): Promise<T> {
  return connected(folder, {}, async (options) => {
    const { createDestinationAdminClient } = await import('@sallyport/admin-api')
    return work(createDestinationAdminClient(options))
  })
}

/** Works with the administration of the destination service, as a person or as the client of the binding. */
export function withAdministration<T>(
  folder: DataFolder,
  as: AskedAs,
  work: (administration: DestinationAdministration) => Promise<T>,
): Promise<T> {
  return connected(folder, as, async (options) => {
    const { createDestinationAdministration } = await import('@sallyport/admin-api')
    return work(createDestinationAdministration(options))
  })
}

async function connected<T>(folder: DataFolder, as: AskedAs, work: (options: DestinationAdminClientOptions) => Promise<T>): Promise<T> {
  const [binding] = readBindings(folder).destination
  await using request = createRequester({ authorities: [readAuthority(folder)] })
  let token: Promise<string> | undefined
  try {
    return await work({
      url: String(binding.credentials['uri']),
      token: () => (token ??= tokenOf(folder, request, as)),
      request: async (url, init) => {
        const answer = await request(url, init)
        return { status: answer.status, headers: { get: (name) => answer.headers[name.toLowerCase()] ?? null }, text: answer.text }
      },
    })
  } catch (error) {
    throw withNextStep(error, as)
  }
}

async function tokenOf(folder: DataFolder, request: Requester, { user, tenant }: AskedAs): Promise<string> {
  if (user === undefined) {
    const [binding] = readBindings(folder).destination
    const zone = tenant === undefined ? {} : { app_tid: tenant }
    return (await fetchToken(request, binding, { grant_type: 'client_credentials', ...zone })).access_token
  }
  const issued = await askControl<IssuedToken>(await requireRunning(folder, 'token-service'), 'issue-token', {
    user,
    client: 'cockpit',
    ...(tenant === undefined ? {} : { tenant }),
  })
  return issued.access_token
}

/** What to do about an error that the service itself cannot know. */
function withNextStep(error: unknown, { user }: AskedAs): unknown {
  if (!ConnectivityError.is(error) || error.details['next'] !== undefined) return error
  const next = nextStep(error, user)
  return next === undefined
    ? error
    : new ConnectivityError(error.code, error.message, { cause: error, details: { ...error.details, next } })
}

function nextStep(error: ConnectivityError, user: string | undefined): string | undefined {
  if (ConnectivityError.is(error, 'ACCESS_DENIED') && user !== undefined) {
    return `give ${user} a role collection with such a role: groups: [Subaccount Administrator] in the configuration, or one of your own under roleCollections`
  }
  if (ConnectivityError.is(error, 'PEER_UNREACHABLE')) {
    return 'see what runs: sallyport status; start it: sallyport dev, or sallyport serve token-service,destination-service --config <file>'
  }
  return undefined
}
