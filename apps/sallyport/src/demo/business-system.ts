import { randomBytes, X509Certificate } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createBusinessPartnerStore, type BusinessPartnerStore } from './business-partners.ts'
import { logOn } from './logon.ts'

/** A running demo backend. */
export interface DemoBackend extends AsyncDisposable {
  readonly port: number
  close(): Promise<void>
}

export interface BusinessSystemOptions {
  readonly host: string
  /** 0: the system chooses. */
  readonly port: number
  readonly certificate: string
  readonly key: string
  /** PEM of the authority whose client certificates (the connector's system certificate) are admitted to the handshake. */
  readonly clientAuthority: string
  /** PEM of the authority that signs user certificates. */
  readonly principalAuthority: string
  readonly now: () => number
}

const service = '/sap/opu/odata/sap/API_BUSINESS_PARTNER'
const maxBodyBytes = 65_536

/**
 * An HTTPS system in the manner of an ABAP server: demands mutual TLS, maps the forwarded user certificate to a user, serves a small OData V2 service with
 * CSRF protection, and says in every answer who is logged on.
 */
export async function startBusinessSystem(options: BusinessSystemOptions): Promise<DemoBackend> {
  const principalAuthority = new X509Certificate(options.principalAuthority)
  const partners = createBusinessPartnerStore()
  const csrfToken = randomBytes(16).toString('base64url')
  const server = createServer(
    {
      cert: options.certificate,
      key: options.key,
      ca: options.clientAuthority,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
    },
    (request, response) => {
      const logon = logOn(request, { principalAuthority, now: options.now })
      const url = new URL(request.url ?? '/', 'https://backend.invalid')
      if (logon.kind === 'refused') {
        send(response, 401, { error: { code: 'LOGON_REFUSED', message: { lang: 'en', value: logon.reason } } })
        return
      }
      const user = logon.kind === 'user' ? logon.user : 'SYSTEM'
      response.setHeader('x-logged-on-user', encodeURIComponent(user))
      if (url.pathname === '/sap/bc/ping') {
        send(response, 200, { status: 'ok', user, subject: logon.subject })
        return
      }
      if (!url.pathname.startsWith(service)) {
        send(response, 404, { error: { code: 'NOT_FOUND', message: { lang: 'en', value: `no service at ${url.pathname}` } } })
        return
      }
      if (request.headers['x-csrf-token']?.toString().toLowerCase() === 'fetch') response.setHeader('x-csrf-token', csrfToken)
      void serve({ request, response, url, user, partners, csrfToken })
    },
  )
  server.requestTimeout = 60_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, resolve)
  })
  // A connection that could not be accepted is its client's loss alone.
  server.on('error', () => {})
  const close = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }
  return { port: (server.address() as AddressInfo).port, close, [Symbol.asyncDispose]: close }
}

interface ServiceCall {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly url: URL
  readonly user: string
  readonly partners: BusinessPartnerStore
  readonly csrfToken: string
}

async function serve({ request, response, url, user, partners, csrfToken }: ServiceCall): Promise<void> {
  const path = url.pathname.slice(service.length)
  const single = /^\/A_BusinessPartner\('([^']{1,20})'\)$/.exec(path)
  if (request.method === 'GET' || request.method === 'HEAD') {
    if (path === '' || path === '/') return send(response, 200, { d: { EntitySets: ['A_BusinessPartner'] } })
    if (path === '/A_BusinessPartner') return send(response, 200, { d: { loggedOnUser: user, results: partners.list(topOf(url)) } })
    const found = single?.[1] === undefined ? undefined : partners.find(single[1])
    return found === undefined ? notFound(response, url.pathname) : send(response, 200, { d: found })
  }
  if (request.method === 'POST' && path === '/A_BusinessPartner') {
    if (request.headers['x-csrf-token'] !== csrfToken) {
      response.setHeader('x-csrf-token', 'Required')
      return send(response, 403, { error: { code: 'CSRF', message: { lang: 'en', value: 'CSRF token validation failed' } } })
    }
    const body = await readJson(request)
    if (typeof body?.['BusinessPartnerFullName'] !== 'string') {
      return send(response, 400, { error: { code: 'BODY', message: { lang: 'en', value: 'BusinessPartnerFullName is missing' } } })
    }
    const country = typeof body['Country'] === 'string' ? body['Country'] : ''
    return send(response, 201, { d: partners.add(body['BusinessPartnerFullName'].slice(0, 80), country.slice(0, 3), user) })
  }
  return send(response, 405, { error: { code: 'METHOD', message: { lang: 'en', value: `${request.method ?? ''} is not possible here` } } })
}

function topOf(url: URL): number {
  const top = Number(url.searchParams.get('$top') ?? 100)
  return Number.isInteger(top) && top >= 0 ? Math.min(top, 1_000) : 100
}

async function readJson(request: IncomingMessage): Promise<Record<string, unknown> | undefined> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > maxBodyBytes) return undefined
    chunks.push(chunk)
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function notFound(response: ServerResponse, path: string): void {
  send(response, 404, { error: { code: 'NOT_FOUND', message: { lang: 'en', value: `nothing at ${path}` } } })
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const text = Buffer.from(`${JSON.stringify(body)}\n`)
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'content-length': text.length })
  response.end(text)
}
