import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createRequester, type Requester } from '../src/stack/request.ts'
import type { Installation } from './installation.ts'

type Credentials = Readonly<Record<string, string>>

/** The services of a running installation as an application uses them by hand: bindings, tokens, REST API. */
export interface BoundServices extends AsyncDisposable {
  readonly credentials: Readonly<Record<'xsuaa' | 'destination' | 'connectivity', Credentials>>
  readonly request: Requester
  /** Asks the token service with the client of a binding. */
  token(service: 'xsuaa' | 'destination' | 'connectivity', parameters: Readonly<Record<string, string>>): Promise<TokenAnswer>
  /** Calls the destination service with a technical token, below `/destination-configuration/v1`. */
  destinations(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    body?: unknown,
  ): Promise<{ readonly status: number; readonly body: unknown }>
}

interface TokenAnswer {
  readonly status: number
  readonly access_token: string
  readonly refresh_token?: string
}

export function openBoundServices(stack: Installation): BoundServices {
  const { VCAP_SERVICES } = JSON.parse(readFileSync(join(stack.data, 'default-env.json'), 'utf8')) as {
    VCAP_SERVICES: Record<string, readonly { readonly credentials: Credentials }[]>
  }
  const of = (service: string): Credentials => VCAP_SERVICES[service]?.[0]?.credentials ?? {}
  const credentials = { xsuaa: of('xsuaa'), destination: of('destination'), connectivity: of('connectivity') }
  const request = createRequester({ authorities: [readFileSync(join(stack.data, 'ca.crt'), 'utf8')] })
  const services: BoundServices = {
    credentials,
    request,
    async token(service, parameters) {
      const { clientid = '', clientsecret = '', url = '' } = credentials[service]
      const answer = await request(`${url}/oauth/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ client_id: clientid, client_secret: clientsecret, ...parameters }).toString(),
      })
      return { status: answer.status, ...(JSON.parse(await answer.text()) as { access_token: string }) }
    },
    async destinations(method, path, body) {
      const { access_token: token } = await services.token('destination', { grant_type: 'client_credentials' })
      const answer = await request(`${credentials.destination['uri'] ?? ''}/destination-configuration/v1/${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await answer.text()
      return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) }
    },
    [Symbol.asyncDispose]: () => request[Symbol.asyncDispose](),
  }
  return services
}
