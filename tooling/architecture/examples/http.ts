import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  type Address,
  createSecret,
  type Credentials,
  type DestinationOf,
  type Logger,
  type Principal,
  parseDestination,
  type Secret,
  silentLogger,
} from '@sallyport/core'

const server = createServer((_request, response) => response.setHeader('content-type', 'application/json').end('[]'))
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
server.unref()
const { port } = server.address() as AddressInfo

export const destination = parseDestination({
  Name: 'ORDERS',
  Type: 'HTTP',
  URL: `http://127.0.0.1:${port}`,
  ProxyType: 'Internet',
  Authentication: 'NoAuthentication',
}) as DestinationOf<'HTTP'>
export const httpProxy: Address = { host: 'proxy.example.org', port: 20_003 }
export const tokens = {
  get: (_options: { readonly signal: AbortSignal }): Promise<Secret> => Promise.resolve(createSecret('token')),
  forget: (_token: Secret): void => {},
}
export const credentials: Credentials = { kind: 'none' }
export const principal = undefined as unknown as Principal
export const signal: AbortSignal = AbortSignal.timeout(10_000)
export const log: Logger = silentLogger
