import { Agent as HttpAgent, type ClientRequest, request as httpRequest, type RequestOptions } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { getCACertificates } from 'node:tls'
import { idleSocketMs, maxHeadBytes, maxSockets } from './limits.ts'
import type { ServiceCallerOptions } from './service-call.ts'

/** Connections to services, kept open between calls. */
export interface ServiceConnections {
  request(url: URL, options: Pick<RequestOptions, 'method' | 'headers' | 'signal'>): ClientRequest
  destroy(): void
}

/** Makes the agents; in a file of its own because loading it loads Node's HTTP modules. */
export function createServiceConnections({ ca = [], certificate, key }: ServiceCallerOptions): ServiceConnections {
  const shared = { keepAlive: true, maxSockets, timeout: idleSocketMs }
  const plain = new HttpAgent(shared)
  const secure = new HttpsAgent({
    ...shared,
    ...(ca.length === 0 ? {} : { ca: [...getCACertificates('default'), ...ca] }),
    ...(certificate === undefined ? {} : { cert: certificate, key: key?.reveal() }),
  })
  return {
    request(url, options) {
      const bounded = { ...options, maxHeaderSize: maxHeadBytes }
      return url.protocol === 'https:' ? httpsRequest(url, { ...bounded, agent: secure }) : httpRequest(url, { ...bounded, agent: plain })
    },
    destroy() {
      plain.destroy()
      secure.destroy()
    },
  }
}
