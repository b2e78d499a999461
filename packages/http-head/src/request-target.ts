import { type Authority, parseAuthority } from './authority.ts'
import { isTargetText } from './character-classes.ts'

/** The four forms of RFC 9112 §3.2. `path` holds the query as well, byte for byte as received. */
export type RequestTarget =
  | { readonly form: 'origin'; readonly path: string }
  | ({ readonly form: 'absolute'; readonly scheme: string; readonly path: string } & Authority)
  | ({ readonly form: 'authority' } & Authority)
  | { readonly form: 'asterisk' }

const defaultPorts: Readonly<Record<string, number>> = { http: 80, ws: 80, https: 443, wss: 443 }

/**
 * Takes a request target apart. Never decodes or normalises: `/a//b/../%2e` stays as it is.
 *
 * An absolute form without a path gets `/` (`http://erp?x=1` has the path `/?x=1`). Without a port, `http` means 80 and `https` 443; of other schemes the
 * target must name one. The scheme is not judged otherwise: whether `https` is served is the caller's decision.
 *
 * @returns `undefined` for what is none of the forms, has user information, or holds anything but visible ASCII.
 *
 * @example
 * parseRequestTarget('http://ERP.example:8000/sap/bc?x') // { form: 'absolute', scheme: 'http', host: 'erp.example', port: 8000, path: '/sap/bc?x' }
 */
export function parseRequestTarget(target: string): RequestTarget | undefined {
  if (!isTargetText(target)) return undefined
  if (target.charCodeAt(0) === 0x2f) return { form: 'origin', path: target }
  if (target === '*') return { form: 'asterisk' }
  const schemeEnd = schemeLength(target)
  if (schemeEnd > 0 && target.startsWith('://', schemeEnd)) return parseAbsolute(target, schemeEnd)
  const authority = parseAuthority(target, undefined)
  return authority === undefined ? undefined : { form: 'authority', host: authority.host, port: authority.port }
}

function parseAbsolute(target: string, schemeEnd: number): RequestTarget | undefined {
  const scheme = target.slice(0, schemeEnd).toLowerCase()
  const authorityStart = schemeEnd + 3
  let authorityEnd = authorityStart
  while (authorityEnd < target.length) {
    const code = target.charCodeAt(authorityEnd)
    if (code === 0x2f || code === 0x3f) break
    authorityEnd += 1
  }
  const authority = parseAuthority(
    target.slice(authorityStart, authorityEnd),
    Object.hasOwn(defaultPorts, scheme) ? defaultPorts[scheme] : undefined,
  )
  if (authority === undefined) return undefined
  const rest = target.slice(authorityEnd)
  const path = rest.charCodeAt(0) === 0x2f ? rest : `/${rest}`
  return { form: 'absolute', scheme, host: authority.host, port: authority.port, path }
}

/** Letters, then letters, digits, `+`, `-`, `.`: RFC 3986 §3.1. */
function schemeLength(target: string): number {
  let at = 0
  for (; at < target.length; at += 1) {
    const code = target.charCodeAt(at)
    const letter = (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a
    const other = (code >= 0x30 && code <= 0x39) || code === 0x2b || code === 0x2d || code === 0x2e
    if (!letter && !(other && at > 0)) break
  }
  return at
}
