import type { Address } from '@sallyport/core'
import type { Case } from '../case.ts'
import { expect } from '../expect.ts'
import { openClient } from '../played-backend.ts'
import type { ProxyContext } from '../proxy-far-side.ts'
import type { RawClient } from '../raw-peer.ts'

export type Socks5Feature =
  /** The listener wants a proxy token. */
  | 'authorization'
  /** An address that no mapping exposes is known. */
  | 'refusals'
  /** There is a second connector with a location ID. */
  | 'locations'
  /** There is a mapping whose virtual host is an IPv4 address. */
  | 'dotted'

export type Socks5Case = Case<ProxyContext, Socks5Feature>

/** Offers the token method and no other. */
export const greeting: Buffer = Buffer.of(5, 1, 0x80)

/** Ten bytes with an IPv4 address that means nothing. */
export function replyOf(code: number): string {
  return `050${code}0001000000000000`
}

/** The token and the location ID as method 0x80 sends them. */
export function tokenMessage(token: string, locationId = ''): Buffer {
  const location = Buffer.from(locationId).toString('base64')
  const head = Buffer.alloc(5)
  head[0] = 1
  head.writeUInt32BE(token.length, 1)
  return Buffer.concat([head, Buffer.from(token), Buffer.of(location.length), Buffer.from(location)])
}

/** A request for a host by its name; the command is CONNECT unless given. */
export function targetMessage({ host, port }: Address, command = 1): Buffer {
  return Buffer.concat([Buffer.of(5, command, 0, 3, host.length), Buffer.from(host), Buffer.of(port >> 8, port & 255)])
}

/** A client behind method and token. */
export async function openAdmitted(context: ProxyContext, locationId: string | undefined = context.far.location): Promise<RawClient> {
  const client = await openClient(context)
  client.write(greeting)
  expect(await hex(client, 2), 'answer to the methods').toBe('0580')
  client.write(tokenMessage(context.far.token, locationId))
  expect(await hex(client, 2), 'answer to the token').toBe('0100')
  return client
}

/** A client that is joined to a backend. */
export async function openJoined(context: ProxyContext, address: Address, locationId?: string): Promise<RawClient> {
  const client = await openAdmitted(context, locationId)
  client.write(targetMessage(address))
  expect(await hex(client, 10), 'reply').toBe(replyOf(0))
  return client
}

/** What a client behind method and token is answered, up to the end of the connection. */
export async function replyTo(context: ProxyContext, message: Buffer, locationId?: string): Promise<string> {
  const client = await openAdmitted(context, locationId)
  client.write(message)
  await client.ended
  return everything(client).slice(8)
}

/** What a client that sends this gets to see, up to the end of the connection, as hexadecimal text. */
export async function answerTo(context: ProxyContext, message: Buffer): Promise<string> {
  const client = await openClient(context)
  client.write(message)
  await client.ended
  return everything(client)
}

/** So many bytes as hexadecimal text. */
export async function hex(client: RawClient, bytes: number): Promise<string> {
  return (await client.take(bytes)).toString('hex')
}

function everything(client: RawClient): string {
  return Buffer.from(client.text, 'latin1').toString('hex')
}
