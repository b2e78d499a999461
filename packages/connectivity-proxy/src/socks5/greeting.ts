import { socksVersion } from './protocol.ts'
import type { SocksStep } from './socks-reader.ts'

/** `VER NMETHODS METHODS…` (RFC 1928 §3). */
export function readGreeting(bytes: Buffer): SocksStep {
  if (bytes.length > 0 && bytes[0] !== socksVersion) {
    return { message: { kind: 'malformed', while: 'greeting', reason: `version ${bytes[0] ?? 0} is not SOCKS 5` }, bytes: 1 }
  }
  if (bytes.length < 2) return { needs: 2 }
  const needs = 2 + (bytes[1] ?? 0)
  if (bytes.length < needs) return { needs }
  return { message: { kind: 'greeting', methods: [...bytes.subarray(2, needs)] }, bytes: needs }
}
