import { isIPv6 } from 'node:net'
import { hostBytes } from './character-classes.ts'

/** Host and port of a `Host` header or a request target. */
export interface Authority {
  /** Lower case; IPv6 without brackets. */
  readonly host: string
  readonly port: number
}

/**
 * Reads `host:port`, `[v6]:port` and, with a default port, a bare host.
 *
 * Hosts are letters, digits, `-`, `.` and `_` without an empty label (one dot at the end is the root and stays), or a bracketed IPv6 address without zone. Ports are
 * 1 to 65535 without leading zeros. User information, an empty port and an empty host are refused.
 */
export function parseAuthority(text: string, defaultPort: number | undefined): Authority | undefined {
  const hostEnd = text.charCodeAt(0) === 0x5b ? text.indexOf(']') + 1 : nameEnd(text)
  if (hostEnd <= 0) return undefined
  const port = hostEnd === text.length ? defaultPort : parsePort(text, hostEnd)
  if (port === undefined) return undefined
  if (text.charCodeAt(0) !== 0x5b) return { host: text.slice(0, hostEnd).toLowerCase(), port }
  const address = text.slice(1, hostEnd - 1)
  return isIPv6(address) && !address.includes('%') ? { host: address.toLowerCase(), port } : undefined
}

/** Whether a `Host` value can be read by {@link parseAuthority}. */
export function isHostValue(text: string): boolean {
  if (text.charCodeAt(0) === 0x5b) return parseAuthority(text, 80) !== undefined
  const end = nameEnd(text)
  return end > 0 && (end === text.length || parsePort(text, end) !== undefined)
}

/** The length of the name that the text begins with; 0 if it has an empty label. */
function nameEnd(text: string): number {
  let labelStart = 0
  let at = 0
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (hostBytes[code] !== 1) break
    if (code !== 0x2e) continue
    if (at === labelStart) return 0
    labelStart = at + 1
  }
  return at
}

/** The number behind the colon at `colon`, to the end of the text. */
function parsePort(text: string, colon: number): number | undefined {
  const digits = text.length - colon - 1
  if (text.charCodeAt(colon) !== 0x3a || digits < 1 || digits > 5 || text.charCodeAt(colon + 1) === 0x30) return undefined
  let port = 0
  for (let at = colon + 1; at < text.length; at += 1) {
    const digit = text.charCodeAt(at) - 0x30
    if (digit < 0 || digit > 9) return undefined
    port = port * 10 + digit
  }
  return port <= 65_535 ? port : undefined
}
