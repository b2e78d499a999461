import { isVirtualHost } from '../virtual-host.ts'
import { addressTypes, socksVersion } from './protocol.ts'
import type { SocksStep } from './socks-reader.ts'

/**
 * `VER CMD RSV ATYP ADDRESS PORT` (RFC 1928 §4). An IPv4 address becomes its dotted text: it names a virtual host and is never dialled.
 * Messages with an unsupported command or IPv6 address are read to their end all the same, so that the reply is not lost in a reset.
 */
export function readRequest(bytes: Buffer): SocksStep {
  if (bytes.length > 0 && bytes[0] !== socksVersion) return malformed(`version ${bytes[0] ?? 0} is not SOCKS 5`, 1)
  if (bytes.length < 5) return { needs: 5 }
  const command = bytes[1] ?? 0
  if (bytes[2] !== 0) return malformed('the reserved byte is not 0', 3)
  switch (bytes[3]) {
    case addressTypes.ipv4: {
      if (bytes.length < 10) return { needs: 10 }
      return request(command, bytes.subarray(4, 8).join('.'), bytes.readUInt16BE(8), 10)
    }
    case addressTypes.domain: {
      const end = 5 + (bytes[4] ?? 0) + 2
      if (bytes.length < end) return { needs: end }
      return request(command, bytes.toString('latin1', 5, end - 2), bytes.readUInt16BE(end - 2), end)
    }
    case addressTypes.ipv6:
      return bytes.length < 22 ? { needs: 22 } : { message: { kind: 'unsupported-address', command }, bytes: 22 }
    default:
      return { message: { kind: 'unsupported-address', command }, bytes: 4 }
  }
}

function request(command: number, host: string, port: number, bytes: number): SocksStep {
  if (!isVirtualHost(host)) return malformed('the host name has characters that no host name has', bytes)
  if (port === 0) return malformed('port 0 cannot be connected to', bytes)
  return { message: { kind: 'request', command, host: host.toLowerCase(), port }, bytes }
}

function malformed(reason: string, bytes: number): SocksStep {
  return { message: { kind: 'malformed', while: 'request', reason }, bytes }
}
