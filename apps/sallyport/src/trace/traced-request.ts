import { randomUUID } from 'node:crypto'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { ConnectivityError, type ConnectivityEvent, type Destination, parseDestination } from '@sallyport/core'
import { askControl } from '../control/control-client.ts'
import { readControlRecords } from '../control/control-record.ts'
import { readAuthority, readBindings } from '../stack/binding-files.ts'
import type { DataFolder } from '../stack/data-folder.ts'
import { createRequester, type Requester } from '../stack/request.ts'
import { fetchToken, parseObject } from '../stack/tokens.ts'
import { type Hop, hopsOf } from './hop-view.ts'

/** One request through the whole chain, the way an application makes it, and what every hop said. */
export interface TracedRequest {
  readonly destination: string
  readonly path: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly user?: string
  /** Data folders on this machine whose processes know facts about the request, besides the own one. */
  readonly folders?: readonly DataFolder[]
  /** Issues the user's token; where that happens is the caller's business. */
  readonly issueUserToken: (user: string) => Promise<string>
}

export interface TracedAnswer {
  readonly hops: readonly Hop[]
  readonly ok: boolean
  /** The first hop that failed. */
  readonly failed: Hop | undefined
  /** `false` when the chain itself refused, so that it was the policy and not the backend that said no. */
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  readonly correlationId: string
}

const timeoutMs = 30_000
const maxBodyBytes = 16_777_216

/** Sends the request and collects the hops. Failures become hops; only a missing stack is thrown. */
export async function traceRequest(folder: DataFolder, options: TracedRequest): Promise<TracedAnswer> {
  const correlationId = randomUUID()
  const bindings = readBindings(folder)
  await using request = createRequester({ authorities: [readAuthority(folder)] })
  const hops: Hop[] = []
  let beyond: Hop['name'] = 'proxy'
  const step = async <T>(name: Hop['name'], work: () => Promise<{ readonly value: T; readonly line: string }>): Promise<T> => {
    const started = performance.now()
    try {
      const { value, line } = await work()
      hops.push({ name, ok: true, lines: [line], durationMs: performance.now() - started })
      return value
    } catch (error) {
      hops.push({
        name,
        ok: false,
        lines: [error instanceof Error ? error.message : String(error)],
        durationMs: performance.now() - started,
        code: codeOf(error),
      })
      throw error
    }
  }
  try {
    const userToken = await step('token', async () => {
      if (options.user === undefined) return { value: undefined, line: 'no user; the application itself calls' }
      const value = await options.issueUserToken(options.user)
      return { value, line: `${options.user}, tenant ${tenantOf(value)}` }
    })
    const found = await step('destination', () => findDestination(request, folder, options.destination, userToken))
    const { destination } = found
    if (userToken === undefined && destination.type === 'HTTP' && destination.authentication === 'PrincipalPropagation') remindOfUser(hops)
    if (destination.type !== 'HTTP')
      throw new ConnectivityError(
        'DESTINATION_INVALID',
        `destination ${destination.name} has the type ${destination.type}; curl sends HTTP`,
      )
    if (destination.proxyType !== 'OnPremise') {
      beyond = 'backend'
      remindOfTls(hops, destination)
    }
    const headers: Record<string, string> = {
      ...destination.headers,
      ...found.headers,
      ...options.headers,
      'x-correlationid': correlationId,
      'x-request-id': correlationId,
    }
    if (destination.proxyType === 'OnPremise') {
      const [connectivity] = bindings.connectivity
      const proxyToken = await fetchToken(request, connectivity, { grant_type: 'client_credentials' })
      headers['proxy-authorization'] = `Bearer ${proxyToken.access_token}`
      if (destination.locationId !== '') headers['sap-connectivity-scc-location_id'] = destination.locationId
      if (destination.authentication === 'PrincipalPropagation' && userToken !== undefined)
        headers['sap-connectivity-authentication'] = `Bearer ${userToken}`
    }
    const answer = await send(
      targetOf(destination, options.path),
      destination.proxyType === 'OnPremise' ? proxyOf(bindings.connectivity[0].credentials) : undefined,
      { ...options, headers },
    )
    hops.push(...hopsOf((await Promise.all([folder, ...(options.folders ?? [])].map((each) => eventsOf(each, correlationId)))).flat()))
    const elsewhere = hops.every((hop) => hop.ok && hop.name !== 'access') && hops.some((hop) => hop.name === 'tunnel')
    // The connector runs elsewhere and its facts with it; its answer is what is known here.
    if (elsewhere) hops.push(accessElsewhere(destination, options.path, answer))
    const backend = hops.findIndex((hop) => hop.name === 'backend' && hop.ok)
    const failed = hops.find((hop) => !hop.ok)
    if (backend >= 0) hops[backend] = { ...hops[backend]!, lines: [`${answer.status} ${answer.reason}  ${answer.body.length} bytes`] }
    else if (failed === undefined)
      hops.push({ name: 'backend', ok: true, lines: [`${answer.status} ${answer.reason}  ${answer.body.length} bytes`] })
    return {
      hops,
      ok: failed === undefined && answer.status < 400,
      failed,
      status: answer.status,
      headers: answer.headers,
      body: answer.body,
      correlationId,
    }
  } catch (error) {
    if (hops.every((hop) => hop.ok))
      hops.push({ name: beyond, ok: false, lines: [error instanceof Error ? error.message : String(error)], code: codeOf(error) })
    return { hops, ok: false, failed: hops.find((hop) => !hop.ok), status: undefined, headers: {}, body: Buffer.alloc(0), correlationId }
  }
}

/** What can be said about the decision of a connector whose facts are not here. */
function accessElsewhere(destination: Extract<Destination, { type: 'HTTP' }>, path: string, { body, headers }: Answer): Hop {
  const target = targetOf(destination, path)
  const virtual = virtualOf(target.origin)
  const there = `where it runs, "mapping try ${virtual} ${target.path}" says by which rule; here, curl --connector <its data folder> does`
  if (headers['x-connectivity-error-origin'] !== 'connector')
    return { name: 'access', ok: true, lines: [`${virtual} · admitted by a connector whose data is elsewhere`, there] }
  return { name: 'access', ok: false, lines: [body.toString('utf8').trim(), there], code: 'ACCESS_DENIED' }
}

/** The destination is meant for users; without one the back end sees a technical user, or refuses. */
function remindOfUser(hops: { name: string; lines: readonly string[] }[]): void {
  const at = hops.findIndex(({ name }) => name === 'destination')
  const hop = hops[at]
  if (hop !== undefined)
    hops[at] = { ...hop, lines: [...hop.lines, 'PrincipalPropagation passes a user on, and none was named: add --user <name>'] }
}

async function findDestination(
  request: Requester,
  folder: DataFolder,
  name: string,
  userToken: string | undefined,
): Promise<{
  readonly value: { readonly destination: Destination; readonly headers: Readonly<Record<string, string>> }
  readonly line: string
}> {
  const [binding] = readBindings(folder).destination
  const token = await fetchToken(request, binding, { grant_type: 'client_credentials' })
  const answer = await request(
    `${String(binding.credentials['uri'])}/destination-configuration/v1/destinations/${encodeURIComponent(name)}`,
    {
      headers: { authorization: `Bearer ${token.access_token}`, ...(userToken === undefined ? {} : { 'x-user-token': userToken }) },
    },
  )
  const body = parseObject(await answer.text())
  if (answer.status !== 200) {
    const text = typeof body['ErrorMessage'] === 'string' ? body['ErrorMessage'] : `status ${answer.status}`
    throw new ConnectivityError(answer.status === 404 ? 'DESTINATION_NOT_FOUND' : 'SERVICE_UNAVAILABLE', `${name}: ${text}`, {
      details: { next: 'sallyport destination list' },
    })
  }
  const properties = body['destinationConfiguration'] as Record<string, string>
  const owner = body['owner'] as { InstanceId: string | null } | undefined
  const [authToken] =
    (body['authTokens'] as
      | readonly { readonly error?: string; readonly http_header?: { readonly key: string; readonly value: string } }[]
      | undefined) ?? []
  if (authToken?.error !== undefined) throw new ConnectivityError('TOKEN_NOT_ISSUED', `${name}: ${authToken.error}`)
  const header = authToken?.http_header
  const level = owner?.InstanceId === null || owner?.InstanceId === undefined ? 'subaccount' : 'instance'
  return {
    value: { destination: parseDestination(properties), headers: header === undefined ? {} : { [header.key]: header.value } },
    line: `${name}  ${level} level · ${properties['Type'] ?? ''} · ${properties['ProxyType'] ?? 'Internet'} · ${properties['Authentication'] ?? 'NoAuthentication'}`,
  }
}

/** The path is appended to the destination's URL as it was typed, because the connector compares it byte for byte. */
function targetOf(destination: Extract<Destination, { type: 'HTTP' }>, path: string): { readonly origin: URL; readonly path: string } {
  const base = destination.url.pathname.replace(/\/$/, '')
  const queries = new URLSearchParams(destination.queries).toString()
  const full = `${base}${path.startsWith('/') ? path : `/${path}`}`
  return { origin: destination.url, path: queries === '' ? full : `${full}${full.includes('?') ? '&' : '?'}${queries}` }
}

function proxyOf(credentials: Readonly<Record<string, string | readonly string[]>>): { readonly host: string; readonly port: number } {
  return { host: String(credentials['onpremise_proxy_host']), port: Number(credentials['onpremise_proxy_http_port']) }
}

function virtualOf(origin: URL): string {
  return `${origin.hostname}:${origin.port === '' ? (origin.protocol === 'https:' ? 443 : 80) : origin.port}`
}

interface Answer {
  readonly status: number
  readonly reason: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

async function send(
  target: { readonly origin: URL; readonly path: string },
  proxy: { readonly host: string; readonly port: number } | undefined,
  options: { readonly method: string; readonly headers: Readonly<Record<string, string>>; readonly body?: string },
): Promise<Answer> {
  const { origin, path } = target
  const virtual = virtualOf(origin)
  const headers = {
    ...options.headers,
    host: virtual,
    ...(options.body === undefined ? {} : { 'content-length': String(Buffer.byteLength(options.body)) }),
  }
  const signal = AbortSignal.timeout(timeoutMs)
  return await new Promise<Answer>((resolve, reject) => {
    const common = { method: options.method, headers, signal, agent: false as const }
    const outgoing =
      proxy === undefined
        ? (origin.protocol === 'https:' ? httpsRequest : httpRequest)({ ...common, host: origin.hostname, port: origin.port, path })
        : httpRequest({ ...common, host: proxy.host, port: proxy.port, path: `http://${virtual}${path}` })
    outgoing.once('error', (cause) =>
      reject(
        new ConnectivityError(
          'PEER_UNREACHABLE',
          `${proxy === undefined ? virtual : `the connectivity proxy ${proxy.host}:${proxy.port}`} cannot be reached: ${cause.message}`,
          { cause },
        ),
      ),
    )
    outgoing.once('response', (incoming) => void collect(incoming).then(resolve, reject))
    outgoing.end(options.body)
  })
}

async function collect(incoming: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > maxBodyBytes) throw new ConnectivityError('MESSAGE_INVALID', `the answer is longer than ${maxBodyBytes} bytes`)
    chunks.push(chunk)
  }
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(incoming.headers))
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
  return { status: incoming.statusCode ?? 0, reason: incoming.statusMessage ?? '', headers, body: Buffer.concat(chunks) }
}

async function eventsOf(folder: DataFolder, correlationId: string): Promise<readonly ConnectivityEvent[]> {
  const answers = await Promise.all(
    (await readControlRecords(folder)).map((record) =>
      askControl<{ events: readonly ConnectivityEvent[] }>(record, 'trace', { correlationId }).catch(() => ({ events: [] })),
    ),
  )
  return answers.flatMap((answer) => answer.events).toSorted((a, b) => a.atMs - b.atMs)
}

function tenantOf(token: string): string {
  const claims = parseObject(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))
  return typeof claims['zid'] === 'string' ? claims['zid'] : 'unknown'
}

function codeOf(error: unknown): string {
  return ConnectivityError.is(error) ? error.code : 'UNEXPECTED'
}

/** Applications present the certificate of the destination and trust whom it says; a request from here does neither. */
function remindOfTls(hops: { name: string; lines: readonly string[] }[], { properties }: Destination): void {
  const own = Object.entries(properties).find(
    ([name, value]) =>
      name === 'KeyStoreLocation' || name === 'TrustStoreLocation' || (name === 'TrustAll' && value.toLowerCase() === 'true'),
  )
  const at = hops.findIndex(({ name }) => name === 'destination')
  const hop = hops[at]
  if (own !== undefined && hop !== undefined)
    hops[at] = {
      ...hop,
      lines: [...hop.lines, `curl leaves ${own[0]} out of account: applications use it, the request from here does not`],
    }
}
