import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createSecret } from '@sallyport/core'
import type { ServiceBinding } from '../src/index.ts'

/** A token service and a destination service on one port, and the bindings an application has of them. */
export interface BoundServices extends AsyncDisposable {
  readonly bindings: readonly ServiceBinding[]
  readonly environment: { readonly VCAP_SERVICES: string }
  /** Headers of each look-up. */
  readonly finds: readonly IncomingHttpHeaders[]
  readonly tokens: number
  readonly openConnections: () => Promise<number>
}

/** Knows these destinations, by name. Tokens are numbered: `token-1`, `token-2`, …, behind the tenant they were asked for. */
export async function createBoundServices(destinations: Readonly<Record<string, object>>, socksPort?: number): Promise<BoundServices> {
  const finds: IncomingHttpHeaders[] = []
  let tokens = 0
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json')
    if (request.method === 'POST') {
      tokens += 1
      request.resume()
      response.end(JSON.stringify({ access_token: `token-${tokens}`, token_type: 'bearer', expires_in: 3600 }))
      return
    }
    finds.push(request.headers)
    const name = decodeURIComponent(request.url?.split('/').at(-1) ?? '')
    const found = destinations[name]
    if (found === undefined)
      response.writeHead(404).end(JSON.stringify({ ErrorMessage: 'Configuration with the specified name was not found' }))
    else response.end(JSON.stringify({ owner: { SubaccountId: 'demo', InstanceId: null }, ...found }))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = { clientid: 'sb-app', clientsecret: 'secret-of-the-client', url: uri, uri }
  const proxy = {
    ...client,
    onpremise_proxy_host: '127.0.0.1',
    onpremise_proxy_port: '20003',
    ...(socksPort === undefined ? {} : { onpremise_socks5_proxy_port: String(socksPort) }),
  }
  const services = [binding('destination', client), ...(socksPort === undefined ? [] : [binding('connectivity', proxy)])]
  return {
    bindings: services.map(({ credentials, ...rest }) => ({
      ...rest,
      plan: 'lite',
      instanceGuid: undefined,
      credentials: createSecret(credentials),
      source: 'test',
    })),
    environment: { VCAP_SERVICES: JSON.stringify(Object.fromEntries(services.map((service) => [service.label, [service]]))) },
    finds,
    get tokens() {
      return tokens
    },
    openConnections: () =>
      new Promise((resolve, reject) => server.getConnections((error, count) => (error ? reject(error) : resolve(count)))),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function binding(
  label: string,
  credentials: Readonly<Record<string, string>>,
): { name: string; label: string; tags: string[]; credentials: Readonly<Record<string, string>> } {
  return { name: `my-${label}`, label, tags: [label], credentials }
}
