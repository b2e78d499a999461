import { ConnectivityError } from '@sallyport/core'
import { maxEncodedLocationBytes, maxTokenBytes } from './limits.ts'

/** The private authentication method of connectivity proxies: a token and the location ID. */
export const tokenMethod = 0x80

/**
 * The sub-negotiation of {@link tokenMethod}: version, length of the token in four bytes, token, length of the location ID
 * in one byte, location ID in Base64 of its UTF-8.
 */
export function formatTokenMessage(token: string, locationId: string, attempt: string): Buffer {
  if (!/^[\x21-\x7e]+$/.test(token) || token.length > maxTokenBytes) {
    throw new ConnectivityError('TOKEN_INVALID', `${attempt}: the token for the proxy is empty, too long or not ASCII`)
  }
  const location = Buffer.from(Buffer.from(locationId, 'utf8').toString('base64'), 'latin1')
  if (location.length > maxEncodedLocationBytes) {
    throw new ConnectivityError('MESSAGE_INVALID', `${attempt}: the location ID is longer than 189 bytes`)
  }
  const message = Buffer.allocUnsafe(6 + token.length + location.length)
  message.writeUInt8(1, 0)
  message.writeUInt32BE(token.length, 1)
  message.write(token, 5, 'latin1')
  message.writeUInt8(location.length, 5 + token.length)
  location.copy(message, 6 + token.length)
  return message
}

/** Length of a SOCKS5 reply. A refusal is known after two bytes; some servers send no more. */
export function measureReply(bytes: Buffer): number | undefined {
  if (bytes.length < 2) return undefined
  if (bytes[1] !== 0) return 2
  if (bytes.length < 5) return undefined
  const addressLength = { 1: 4, 3: 1 + (bytes[4] ?? 0), 4: 16 }[bytes[3] ?? 0]
  return addressLength === undefined ? 5 : 6 + addressLength
}
