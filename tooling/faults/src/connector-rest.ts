import { request } from 'node:https'
import { type Machine, readText } from './machine.ts'

/** What the administration of a connector answered. */
export interface RestAnswer {
  readonly status: number
  readonly text: string
  json(): any
}

/** Calls the administration of one connector, as an administrator beside it would: faults between the machines do not touch the way. */
export type CallConnector = (
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
  options?: { readonly password?: string; readonly timeoutMs?: number },
) => Promise<RestAnswer>

/** What the administrator of every connector here is called, and logs on with. */
export const administrator = { user: 'Administrator', password: 'between machines' }

const usualTimeoutMs = 20_000

/** @throws Error of the network, and for no answer in time. */
export function createConnectorRest(machine: Machine): CallConnector {
  return (method, path, body, { password = administrator.password, timeoutMs = usualTimeoutMs } = {}) =>
    new Promise((resolve, reject) => {
      const sent = request(
        {
          host: machine.address,
          servername: 'localhost',
          port: machine.port,
          method,
          path,
          ca: readText(machine, 'ca.crt'),
          auth: `${administrator.user}:${password}`,
          agent: false,
          headers: body === undefined ? {} : { 'content-type': 'application/json' },
          signal: AbortSignal.timeout(timeoutMs),
        },
        (response) => {
          let text = ''
          response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
          response.on('error', reject)
          response.on('end', () => resolve({ status: response.statusCode ?? 0, text, json: () => JSON.parse(text) }))
        },
      )
      sent.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body))
    })
}
