import type { ResponseHead } from '@sallyport/http-head'
import { formatHostPort } from '../access-control/host-port.ts'
import type { MappingTable } from '../access-control/mapping-table.ts'
import type { CookieDomains } from './cookie-domains.ts'

/** Says that the connector itself answers; a backend may not claim it. */
const originHeader = 'x-connectivity-error-origin'

/**
 * The header lines of a response for the cloud, or `undefined` when the head can go on byte for byte: nearly always. Redirects to mapped
 * internal hosts and cookies of internal domains are rewritten; the mark of our own refusals is taken away.
 */
export function transformResponseLines(head: ResponseHead, table: MappingTable, cookies: CookieDomains): readonly string[] | undefined {
  let lines: string[] | undefined
  const redirect = head.status >= 300 && head.status <= 399
  for (let at = 0; at < head.names.length; at++) {
    const name = head.names[at]
    if (name === originHeader) {
      lines ??= [...head.lines]
      lines[at] = ''
      continue
    }
    if (name !== 'set-cookie' && !(redirect && name === 'location')) continue
    const value = head.values[at] as string
    const rewritten = name === 'location' ? rewriteLocation(value, table) : cookies.rewrite(value)
    if (rewritten === undefined) continue
    lines ??= [...head.lines]
    const line = head.lines[at] as string
    lines[at] = `${line.slice(0, line.indexOf(':'))}: ${rewritten}`
  }
  return lines?.filter((line) => line !== '')
}

/**
 * Puts the virtual address of the first mapping that leads to the redirect's host and port in its place. Callers speak `http` to the
 * connectivity proxy, so that is the scheme. `undefined`: leave it alone.
 */
function rewriteLocation(value: string, table: MappingTable): string | undefined {
  const match = /^(?:(https?):)?\/\/(\[[0-9A-Fa-f:.]+\]|[^\s:/?#@[\]\\]+)(?::(\d{1,5}))?(?=[/?#]|$)/i.exec(value)
  if (match === null) return undefined
  const host = (match[2] ?? '').replace(/^\[|\]$/g, '')
  const scheme = match[1]?.toLowerCase()
  // A reference without scheme keeps that of the connection to the backend, which is not known here: both default ports may be meant.
  const ports = match[3] !== undefined ? [Number(match[3])] : scheme === undefined ? [443, 80] : [scheme === 'https' ? 443 : 80]
  for (const port of ports) {
    const mapping = table.findByInternal(host, port)
    if (mapping === undefined) continue
    const authority = formatHostPort(mapping.virtualHost, mapping.virtualPortLow, 80)
    return `${scheme === undefined ? '' : 'http:'}//${authority}${value.slice(match[0].length)}`
  }
  return undefined
}
