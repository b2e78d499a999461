import type { ServiceSubject } from '@sallyport/conformance/cases'
import type { Clock, Secret } from '@sallyport/core'
import {
  type ConnectivityBinding,
  createTokenSource,
  parseConnectivityBinding,
  readBindings,
  selectBinding,
  type ServiceBinding,
  systemBindingFiles,
} from '@sallyport/destination-client'
import { createRequester, type Requester } from '../stack/request.ts'
import type { Target } from './read-target.ts'
import type { SecretFilter } from './secret-filter.ts'

/** What the bindings of a target say, and a token for its proxy. */
export interface TargetServices extends AsyncDisposable {
  readonly connectivity: ConnectivityBinding
  readonly subject: ServiceSubject
  /** Fetches a token for the proxy, or the one that is still good. */
  token(signal: AbortSignal): Promise<Secret>
}

/** Opens nothing before the first call. What the bindings keep secret is hidden from reports. @throws ConnectivityError `BINDING_INVALID`. */
export async function openTargetServices(target: Target, clock: Clock, filter: SecretFilter): Promise<TargetServices> {
  const bindings = await readBindings({
    environment: { VCAP_SERVICES_FILE_PATH: target.bindingsFile },
    files: systemBindingFiles,
  })
  const binding = selectBinding(bindings, { service: 'connectivity' })
  const destination = bindings.find(({ label }) => label === 'destination')
  for (const one of [binding, destination]) hideSecretsOf(one, filter)
  const connectivity = parseConnectivityBinding(binding)
  const tokens = createTokenSource({
    client: connectivity.client,
    clock,
    ...(target.authorities.length === 0 ? {} : { ca: target.authorities }),
  })
  const requester = createRequester({ authorities: target.authorities })
  return {
    connectivity,
    subject: subjectOf(target, requester, binding, destination),
    token: (signal) => tokens.get({ signal }),
    async [Symbol.asyncDispose]() {
      await Promise.all([tokens[Symbol.asyncDispose](), requester[Symbol.asyncDispose]()])
    },
  }
}

function subjectOf(
  target: Target,
  request: Requester,
  connectivity: ServiceBinding,
  destination: ServiceBinding | undefined,
): ServiceSubject {
  const secret = 'clientsecret' in connectivity.credentials.reveal()
  return {
    request,
    connectivity: connectivity.credentials.reveal(),
    ...(destination === undefined ? {} : { destination: destination.credentials.reveal() }),
    ...(target.destination === undefined ? {} : { stored: target.destination }),
    limitMs: target.limitSeconds * 1000,
    features: {
      secret,
      destinations: secret && destination !== undefined,
      stored: secret && destination !== undefined && target.destination !== undefined,
    },
    knownGaps: target.knownGaps['services'] ?? {},
  }
}

function hideSecretsOf(binding: ServiceBinding | undefined, filter: SecretFilter): void {
  const { clientid, clientsecret, key } = binding?.credentials.reveal() ?? {}
  if (typeof clientsecret === 'string') filter.hide(clientsecret, typeof clientid === 'string' ? clientid : undefined)
  if (typeof key === 'string') filter.hide(key)
}
