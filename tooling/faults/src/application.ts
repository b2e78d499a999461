import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { type Machine, readText } from './machine.ts'

/** What a request of an application saw: a status, or how the connection ended. */
export interface Seen {
  readonly outcome: number | string
  readonly afterMs: number
}

/** An application beside the cloud side, with the binding that the product gives it. */
export interface Application {
  /** Gets `path` of the virtual host through the proxy, each time on a connection of its own. Never throws. */
  get(path: string, timeoutMs: number): Promise<Seen>
}

export const virtualHost = 'erp.virtual'
const proxyPort = 20_003
const refusedToken = 407

/** Gets tokens as an application does: with client and secret, anew when the proxy refuses the one it has. */
export async function openApplication(cloud: Machine): Promise<Application> {
  const binding: any = await cloud.command(['bind', '--reveal'])
  const { clientid, clientsecret, url } = binding.connectivity[0].credentials
  const authority = readText(cloud, 'ca.crt')
  let token = ''

  const fetchToken = (timeoutMs: number): Promise<string> =>
    new Promise((resolve, reject) => {
      const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: clientid, client_secret: clientsecret }).toString()
      const sent = httpsRequest(
        `${url}/oauth/token`,
        {
          method: 'POST',
          ca: authority,
          agent: false,
          signal: AbortSignal.timeout(timeoutMs),
          headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
        },
        (response) => {
          let text = ''
          response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
          response.on('error', reject)
          response.on('end', () =>
            response.statusCode === 200
              ? resolve(JSON.parse(text).access_token)
              : reject(new Error(`no token: ${response.statusCode} ${text}`)),
          )
        },
      )
      sent.on('error', reject).end(body)
    })

  const once = (path: string, timeoutMs: number): Promise<number> =>
    new Promise((resolve, reject) => {
      const sent = httpRequest(
        {
          host: cloud.address,
          port: proxyPort,
          path: `http://${virtualHost}:80${path}`,
          headers: { host: `${virtualHost}:80`, 'proxy-authorization': `Bearer ${token}` },
          agent: false,
          signal: AbortSignal.timeout(timeoutMs),
        },
        (response) => {
          response.on('error', reject)
          response.resume().on('end', () => resolve(response.statusCode ?? 0))
        },
      )
      sent.on('error', reject).end()
    })

  return {
    async get(path, timeoutMs) {
      const startedMs = performance.now()
      const leftMs = (): number => Math.max(1, Math.round(timeoutMs - (performance.now() - startedMs)))
      try {
        if (token === '') token = await fetchToken(leftMs())
        let outcome = await once(path, leftMs())
        if (outcome === refusedToken) {
          token = await fetchToken(leftMs())
          outcome = await once(path, leftMs())
        }
        return { outcome, afterMs: performance.now() - startedMs }
      } catch (error) {
        return { outcome: nameOf(error), afterMs: performance.now() - startedMs }
      }
    },
  }
}

function nameOf(error: unknown): string {
  const { code, message, name } = error as NodeJS.ErrnoException
  if (name === 'TimeoutError' || name === 'AbortError' || code === 'ABORT_ERR') return 'no answer'
  return typeof code === 'string' ? code : message
}
