import { X509Certificate } from 'node:crypto'
import { request as httpsRequest } from 'node:https'
import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as tlsConnect, type TLSSocket } from 'node:tls'
import { ConnectivityError, type Secret } from '@sallyport/core'
import { maxPairingAnswerBytes, pairingTimeoutMs } from '../limits.ts'
import { createCertificationKey } from './certification-key.ts'
import type { ConnectorIdentity } from './connector-identity.ts'

/** How the connectivity service is recognised at first contact: by the authority that signed it, by its certificate, or as every server of the public. Never by nothing. */
export type ServerTrust =
  /** PEM certificates. */
  | { readonly authorities: string }
  /** SHA-256 of the server's own certificate, hexadecimal, colons and case as you like. */
  | { readonly fingerprint: string }
  /** The authorities that this machine trusts anyway. */
  | { readonly system: true }

/** What allows the connector to belong to a subaccount. */
export type PairingProof =
  /** A one-time code; with a subaccount it must be for that one. */
  | { readonly code: string; readonly subaccount?: string }
  /** A user of the subaccount who may add connectors. */
  | { readonly subaccount: string; readonly user: string; readonly password: Secret }

/** Opens the way to the service where it is not the direct one, such as through a proxy; `undefined` where it is. */
export type OpenWay = (address: { readonly host: string; readonly port: number }, signal: AbortSignal) => Promise<Duplex | undefined>

/** What a pairing is made with. */
export interface PairingOptions {
  /** Base URL of the connectivity service, `https:`. */
  readonly server: URL
  readonly trust: ServerTrust
  readonly connectorId: string
  readonly locationId: string
  readonly description: string
  readonly openWay?: OpenWay | undefined
  readonly signal?: AbortSignal
}

/** A new identity, and what the cloud side says about its subaccount. */
export interface Enrolment {
  readonly identity: ConnectorIdentity
  /** What people call the subaccount. */
  readonly displayName: string
  /** Who is held to have added the connector; empty when the service does not say. */
  readonly user: string
}

/** Pairs with a one-time code, see {@link enrolConnector}. */
export async function pairConnector(options: PairingOptions & { readonly code: string }): Promise<ConnectorIdentity> {
  const { code, ...rest } = options
  return (await enrolConnector({ ...rest, proof: { code } })).identity
}

/**
 * Makes this connector known to a subaccount: creates a key, sends what allows it together with a certification request, and returns the identity. Nothing
 * is stored; see `saveIdentity`.
 *
 * @throws ConnectivityError `PAIRING_REFUSED` for a bad code, user or password, `PEER_UNTRUSTED` when the server is not the expected one, `PEER_UNREACHABLE`,
 * `DEADLINE_EXCEEDED`, `PROTOCOL_VIOLATION` for an answer that is none.
 */
export async function enrolConnector(options: PairingOptions & { readonly proof: PairingProof }): Promise<Enrolment> {
  const { connectorId, description, locationId, openWay, proof, server } = options
  if (server.protocol !== 'https:')
    throw new ConnectivityError('PEER_UNTRUSTED', 'pairing needs an https URL: what is secret must not be readable on the way')
  const { key, publicKey, request } = await createCertificationKey([{ type: 'CN', value: connectorId }])
  const shown = 'password' in proof ? { ...proof, password: proof.password.reveal() } : proof
  const body = JSON.stringify({ ...shown, certificationRequest: request, connectorId, locationId, description })
  const signal = withDeadline(options.signal)
  const answer = await post(new URL('/api/v1/pairing', server), body, options.trust, openWay, signal)
  const fields = tryParseObject(answer.body)
  if (answer.status !== 200) throw refusal(answer.status, fields)
  const { authorities, certificate, subaccount, tunnelEndpoint } = fields ?? {}
  if (![authorities, certificate, subaccount, tunnelEndpoint].every((field) => typeof field === 'string' && field !== '')) {
    throw new ConnectivityError('PROTOCOL_VIOLATION', 'the answer to the pairing lacks a member; is this the connectivity service?')
  }
  if (proof.subaccount !== undefined && proof.subaccount !== subaccount)
    throw new ConnectivityError('PROTOCOL_VIOLATION', 'the answer to the pairing is for another subaccount than the one asked for')
  const issued = readCertificate(String(certificate))
  if (issued === undefined || !issued.publicKey.equals(publicKey)) {
    throw new ConnectivityError('PROTOCOL_VIOLATION', 'the certificate in the answer to the pairing is not for the key that was sent')
  }
  const { displayName, user } = fields ?? {}
  return {
    identity: {
      subaccount: String(subaccount),
      locationId,
      connectorId,
      description,
      tunnelEndpoint: String(tunnelEndpoint),
      certificate: String(certificate),
      key,
      authorities: String(authorities),
    },
    displayName: typeof displayName === 'string' && displayName !== '' ? displayName : String(subaccount),
    user: typeof user === 'string' ? user : '',
  }
}

function withDeadline(signal: AbortSignal | undefined): AbortSignal {
  const deadline = AbortSignal.timeout(pairingTimeoutMs)
  return signal === undefined ? deadline : AbortSignal.any([signal, deadline])
}

interface Answer {
  readonly status: number
  readonly body: Buffer
}

async function post(url: URL, body: string, trust: ServerTrust, openWay: OpenWay | undefined, signal: AbortSignal): Promise<Answer> {
  const pinned = 'fingerprint' in trust
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const tls = {
    minVersion: 'TLSv1.2',
    // With a fingerprint, the chain and name do not matter: exactly that certificate is expected, and checked before anything is sent.
    rejectUnauthorized: !pinned,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...('authorities' in trust ? { ca: trust.authorities } : {}),
  } as const
  let way: Duplex | undefined
  try {
    way = await openWay?.({ host, port: Number(url.port || 443) }, signal)
  } catch (error) {
    throw pairingError(url, error as Error)
  }
  return await new Promise((resolve, reject) => {
    const request = httpsRequest(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), connection: 'close' },
      signal,
      ...tls,
      ...(way === undefined ? { agent: false } : { createConnection: () => tlsConnect({ ...tls, host, socket: way }) }),
    })
    request.on('error', (error) => reject(pairingError(url, error)))
    request.on('response', (response) => {
      const chunks: Buffer[] = []
      let size = 0
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > maxPairingAnswerBytes)
          response.destroy(new ConnectivityError('PROTOCOL_VIOLATION', 'the answer to the pairing is too long'))
        else chunks.push(chunk)
      })
      response.on('error', (error) => reject(pairingError(url, error)))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }))
    })
    if (!pinned) {
      request.end(body)
      return
    }
    request.on('socket', (socket) => {
      socket.once('secureConnect', () => {
        const expected = normaliseFingerprint(trust.fingerprint)
        const shown = normaliseFingerprint((socket as TLSSocket).getPeerX509Certificate()?.fingerprint256 ?? '')
        if (expected.length === 64 && shown === expected) request.end(body)
        else
          request.destroy(
            new ConnectivityError('PEER_UNTRUSTED', `${url.host} shows a certificate with another fingerprint than the one given`),
          )
      })
    })
  })
}

function tryParseObject(body: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined
  } catch {
    // Not JSON: the same as an answer without members.
    return undefined
  }
}

function normaliseFingerprint(text: string): string {
  return text
    .replace(/^sha-?256[:/]/i, '')
    .replaceAll(/[:\s]/g, '')
    .toLowerCase()
}

function readCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem)
  } catch {
    // Not a certificate: the caller says so.
    return undefined
  }
}

function refusal(status: number, fields: Readonly<Record<string, unknown>> | undefined): ConnectivityError {
  const message =
    typeof fields?.['message'] === 'string' ? fields['message'].slice(0, 500).replaceAll(/\p{Cc}/gu, ' ') : `HTTP status ${status}`
  const code = status === 400 ? 'MESSAGE_INVALID' : status === 403 || status === 429 ? 'PAIRING_REFUSED' : 'SERVICE_UNAVAILABLE'
  return new ConnectivityError(code, `pairing: ${message}`, { details: { status } })
}

function pairingError(url: URL, cause: Error): ConnectivityError {
  if (ConnectivityError.is(cause)) return cause
  if (cause.name === 'TimeoutError')
    return new ConnectivityError('DEADLINE_EXCEEDED', `pairing: ${url.host} did not answer in time`, { cause })
  if (cause.name === 'AbortError') return new ConnectivityError('ABORTED', 'pairing was aborted', { cause })
  const code = 'code' in cause ? String(cause.code) : ''
  if (/CERT|SELF_SIGNED|UNABLE_TO|ALTNAME/.test(code)) {
    return new ConnectivityError(
      'PEER_UNTRUSTED',
      `pairing: the certificate of ${url.host} is not signed by the given authority, or names another host (${code})`,
      { cause },
    )
  }
  return new ConnectivityError('PEER_UNREACHABLE', `pairing: ${url.host} cannot be reached (${code})`, { cause })
}
