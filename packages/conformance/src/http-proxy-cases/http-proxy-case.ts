import type { Case } from '../case.ts'
import { expect } from '../expect.ts'
import type { ProxyContext } from '../proxy-far-side.ts'
import { openClient, playBackend } from '../played-backend.ts'
import { type RawPeer, readAnswer } from '../raw-peer.ts'

export type HttpProxyFeature =
  /** The listener wants a proxy token. */
  | 'authorization'
  /** One tenant, and no token is wanted. */
  | 'trusted'
  /** An address that no mapping exposes is known. */
  | 'refusals'
  /** There is a second connector with a location ID. */
  | 'locations'
  /** There are two users whom the connector knows. */
  | 'users'
  /** A connection refuses what its first request did not name, as the original does, instead of opening another one. */
  | 'strict'
  /** Resources admit upgrades. */
  | 'upgrades'

export type HttpProxyCase = Case<ProxyContext, HttpProxyFeature>

/** An answer of two bytes. */
export const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

/** Answers every head with the same text; for requests without bodies. */
export async function answerEach(peer: RawPeer, answer: string | ((request: string) => string) = ok): Promise<void> {
  for (;;) {
    const request = await peer.read('\r\n\r\n')
    peer.write(typeof answer === 'string' ? answer : answer(request))
  }
}

/** A request head with the token of the application. `lines` follow the obligatory ones. */
export function head(
  { far }: ProxyContext,
  requestLine: string,
  lines: readonly string[] = [],
  options: { readonly host?: string; readonly authorization?: string } = {},
): string {
  const host = options.host ?? /http:\/\/([^/? ]+)/.exec(requestLine)?.[1] ?? ''
  const authorization = options.authorization ?? `Bearer ${far.token}`
  const { location = '' } = far
  const isLocated = location === '' || lines.some((line) => /^sap-connectivity-scc-location_id:/i.test(line))
  return [
    requestLine,
    `Host: ${host}`,
    ...(authorization === '' ? [] : [`Proxy-Authorization: ${authorization}`]),
    ...(isLocated ? [] : [`SAP-Connectivity-SCC-Location_ID: ${location}`]),
    ...lines,
    '',
    '',
  ].join('\r\n')
}

/** Sends a request on a connection of its own and reads the answer. */
export async function ask(context: ProxyContext, text: string): Promise<Awaited<ReturnType<typeof readAnswer>>> {
  const client = await openClient(context)
  client.write(text)
  return readAnswer(client)
}

/** What a backend is asked by `GET /` with these lines: its head, as it arrived. */
export async function headAtBackend(context: ProxyContext, lines: readonly string[]): Promise<string> {
  const backend = await playBackend(context, (peer) => answerEach(peer))
  const answer = await ask(context, head(context, `GET http://${backend.authority}/ HTTP/1.1`, lines))
  expect(answer.status, 'status').toBe(200)
  return backend.peers[0]?.text ?? ''
}
