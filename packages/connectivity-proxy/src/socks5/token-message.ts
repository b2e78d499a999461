import { isUtf8 } from 'node:buffer'
import { maxLocationIdBytes } from '../limits.ts'
import { tokenNegotiationVersion } from './protocol.ts'
import type { SocksStep } from './socks-reader.ts'

/**
 * `01 LENGTH(4) TOKEN LENGTH(1) LOCATION`: the negotiation of method 0x80. The second length counts Base64 characters.
 * A length over `maxTokenBytes` is refused from the length field alone.
 */
export function readTokenMessage(bytes: Buffer, maxTokenBytes: number): SocksStep {
  if (bytes.length > 0 && bytes[0] !== tokenNegotiationVersion) return malformed(`negotiation version ${bytes[0] ?? 0} is not 1`, 1)
  if (bytes.length < 5) return { needs: 5 }
  const tokenBytes = bytes.readUInt32BE(1)
  if (tokenBytes > maxTokenBytes) return malformed(`a token of ${tokenBytes} bytes is longer than ${maxTokenBytes}`, 5)
  const locationAt = 5 + tokenBytes
  if (bytes.length <= locationAt) return { needs: locationAt + 1 }
  const end = locationAt + 1 + (bytes[locationAt] ?? 0)
  if (bytes.length < end) return { needs: end }
  const token = bytes.toString('latin1', 5, locationAt)
  if (!/^[\w.~+/=-]*$/.test(token)) return malformed('the token has characters that no token has', end)
  const locationId = decodeLocation(bytes.toString('latin1', locationAt + 1, end))
  if (locationId === undefined) return malformed('the location ID is not Base64 of UTF-8 text', end)
  return { message: { kind: 'token', token, locationId }, bytes: end }
}

/** Standard Base64, padding optional, of at most {@link maxLocationIdBytes} bytes of UTF-8. No control characters: a NUL would separate a region, and there is one region. */
function decodeLocation(text: string): string | undefined {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/.test(text)) return undefined
  const raw = Buffer.from(text, 'base64')
  if (raw.length > maxLocationIdBytes || !isUtf8(raw)) return undefined
  const locationId = raw.toString('utf8')
  return /\p{Cc}/u.test(locationId) ? undefined : locationId
}

function malformed(reason: string, bytes: number): SocksStep {
  return { message: { kind: 'malformed', while: 'token', reason }, bytes }
}
