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

/** What the bindings of a target say, and a token for its proxy. */
export interface TargetServices extends AsyncDisposable {
  readonly connectivity: ConnectivityBinding
  readonly subject: ServiceSubject
  /** Fetches a token for the proxy, or the one that is still good. */
  token(signal: AbortSignal): Promise<Secret>
  /** Texts that no report may show. */
  readonly secrets: readonly string[]
}

/** Opens nothing before the first call. @throws ConnectivityError `BINDING_INVALID`. */
export async function openTargetServices(target: Target, clock: Clock): Promise<TargetServices> {
  const bindings = await readBindings({
    environment: { VCAP_SERVICES_FILE_PATH: target.bindingsFile },
    files: systemBindingFiles,
  })
  const binding = selectBinding(bindings, { service: 'connectivity' })
  const connectivity = parseConnectivityBinding(binding)
  const destination = bindings.find(({ label }) => label === 'destination')
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
    secrets: [binding, destination].flatMap((one) => secretsOf(one)),
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

function secretsOf(binding: ServiceBinding | undefined): readonly string[] {
  const { clientsecret, key } = binding?.credentials.reveal() ?? {}
  return [clientsecret, key].filter((value): value is string => typeof value === 'string' && value !== '')
}
