import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { ConnectionVerdict } from '@sallyport/admin-api'
import { ConnectivityError } from '@sallyport/core'
import type { OnPremiseHop, OnPremiseRoute } from '../authentication/on-premise-route.ts'
import { explainFailure } from './check-errors.ts'
import type { CheckedDestination } from './connection-checker.ts'
import { createHopList } from './hop-list.ts'
import { needsGet, probe, probeHeaders, type Probe } from './http-probe.ts'

/** The original's four sentences, word for word, by what they mean. */
const messages = {
  undetermined: 'Backend status could not be determined.',
  unmapped: 'Backend is not available in the list of defined system mappings in Cloud Connector.',
  inaccessible: 'Resource is not accessible in Cloud Connector or backend is not reachable.',
  unreachable: 'Backend is not reachable from Cloud Connector.',
} as const

/** Reaches an on-premise target as applications do: through the connectivity proxy, the tunnel and the connector with its access control. */
export async function checkOnPremise(
  { configuration, level }: CheckedDestination,
  url: URL,
  route: OnPremiseRoute | undefined,
  deadline: AbortSignal,
): Promise<ConnectionVerdict> {
  const hops = createHopList()
  const locationId = configuration['CloudConnectorLocationId'] ?? ''
  const explain = (error: unknown): string => explainFailure(error, { target: 'the connectivity proxy', deadline })
  try {
    const { hop, socket } = await hops.step('proxy', () => openProxy(route, { subaccountId: level.subaccountId, locationId }, deadline), {
      describe: () => 'connected, with a token of the subaccount',
      explain,
    })
    const sent = {
      // The proxy takes http:// only; whether the target is called over TLS is the connector's business.
      path: `http://${url.host}${url.pathname}${url.search}`,
      headers: { ...probeHeaders(configuration, url.host), ...hop.headers },
    }
    const beganMs = performance.now()
    let answer: Probe
    try {
      answer = await probe(socket, { method: 'HEAD', ...sent }, deadline)
      // An answer to HEAD has no text, and the reason of a refusal is one.
      if (needsGet(answer.status) || answer.origin !== undefined) {
        answer = await probe(await openSocket(hop.proxyOrigin, deadline), { method: 'GET', ...sent }, deadline)
      }
    } catch (error) {
      hops.note({ hop: 'proxy', ok: false, detail: explain(error) }, beganMs)
      return hops.verdict({ successful: false, message: messages.undetermined })
    }
    if (answer.status === 407) hop.refused()
    const { failedHop, detail, message } = readAnswer(answer)
    if (failedHop !== undefined) {
      hops.note({ hop: failedHop, ok: false, detail }, beganMs)
      return hops.verdict({ successful: false, message, ...(answer.origin === undefined ? { status: answer.status } : {}) })
    }
    hops.note({ hop: 'backend', ok: true, detail }, beganMs)
    return hops.verdict({ successful: true, message, status: answer.status })
  } catch {
    // The step that failed stands in the list.
    return hops.verdict({ successful: false, message: messages.undetermined })
  }
}

interface Reading {
  readonly failedHop: 'proxy' | 'connector' | 'backend' | undefined
  readonly detail: string
  readonly message: string
}

/**
 * Who has answered, and what that means. Proxy and connector mark their answers; which refusal it is, only the documented sentences tell, the same with
 * connectors of the original.
 */
function readAnswer({ status, origin, text }: Probe): Reading {
  const detail = `status ${status}${text === '' ? '' : `: ${text}`}`
  if (origin === 'connector') {
    if (text.startsWith('Access denied to system')) return { failedHop: 'connector', detail, message: messages.unmapped }
    if (text.startsWith('Access denied to resource')) return { failedHop: 'connector', detail, message: messages.inaccessible }
    if (status === 502 || status === 504) return { failedHop: 'backend', detail, message: messages.unreachable }
    return { failedHop: 'connector', detail, message: messages.undetermined }
  }
  // A mark that is none of ours comes from the proxy's side too: the connector removes those of backends.
  if (origin !== undefined) return { failedHop: status === 503 ? 'connector' : 'proxy', detail, message: messages.undetermined }
  if (status >= 500) return { failedHop: 'backend', detail, message: messages.undetermined }
  return { failedHop: undefined, detail: `answered with status ${status}`, message: `The target answered with status ${status}.` }
}

async function openProxy(
  route: OnPremiseRoute | undefined,
  target: Parameters<OnPremiseRoute['open']>[0],
  deadline: AbortSignal,
): Promise<{ readonly hop: OnPremiseHop; readonly socket: Socket }> {
  if (route === undefined) throw new ConnectivityError('DESTINATION_INVALID', 'no connectivity proxy is set up')
  const hop = await route.open(target, deadline)
  return { hop, socket: await openSocket(hop.proxyOrigin, deadline) }
}

async function openSocket(origin: string, deadline: AbortSignal): Promise<Socket> {
  const { protocol, hostname, port } = new URL(origin)
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  const socket =
    protocol === 'https:'
      ? connectTls({ host, port: Number(port) || 443, servername: host })
      : connectTcp({ host, port: Number(port) || 80, autoSelectFamily: true })
  try {
    await once(socket, protocol === 'https:' ? 'secureConnect' : 'connect', { signal: deadline })
    return socket
  } catch (error) {
    socket.destroy()
    throw error
  }
}
