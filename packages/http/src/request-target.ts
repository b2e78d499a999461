import { ConnectivityError, type HttpDestination } from '@sallyport/core'
import { maxTargetBytes } from './limits.ts'

/**
 * The request target in origin form: the path of the destination's URL, the path of the request as it was written, and
 * those `URL.queries.<name>` that the request does not have itself. Nothing is decoded and encoded again, because backends
 * and access lists compare text.
 *
 * `path` is relative to the destination's URL ('/orders', 'orders', '?$top=1', ''), or an absolute URL of the same origin,
 * which then stands for itself.
 *
 * @throws ConnectivityError `MESSAGE_INVALID` for another origin, characters that must be encoded, or a target over the limit.
 */
export function buildTarget(destination: HttpDestination, path: string | URL): string {
  // Callers without types pass what other clients take.
  if (typeof path !== 'string' && !(path instanceof URL)) throw invalid('is neither text nor a URL')
  const target = withQueries(
    path instanceof URL || /^https?:/i.test(path) ? absolute(destination, path) : relative(destination, path),
    destination,
  )
  // RFC 9112 §3.2 knows no fragment, no blank and no control character in a request target.
  if (!/^[\x21-\x22\x24-\x7e]+$/.test(target)) throw invalid('has characters that must be percent-encoded, or a fragment')
  if (target.length > maxTargetBytes) throw invalid(`is longer than ${maxTargetBytes} bytes`)
  return target
}

function absolute(destination: HttpDestination, path: string | URL): string {
  const url = typeof path === 'string' ? URL.parse(path) : path
  if (url === null || url.origin !== destination.url.origin || url.username !== '' || url.password !== '') {
    throw invalid('belongs to another origin than the destination')
  }
  // The text after the authority, untouched where it is there as text.
  return typeof path === 'string' ? path.replace(/^https?:\/\/[^/?#]*/i, '').replace(/^(?!\/)/, '/') : `${url.pathname}${url.search}`
}

function relative({ url }: HttpDestination, path: string): string {
  const [pathname = '', ...query] = path.split('?')
  const base = url.pathname.replace(/\/$/, '')
  const joined = pathname === '' ? url.pathname : `${base}${pathname.startsWith('/') ? '' : '/'}${pathname}`
  const queries = [url.search.slice(1), query.join('?')].filter((part) => part !== '')
  return queries.length === 0 ? joined : `${joined}?${queries.join('&')}`
}

function withQueries(target: string, { queries }: HttpDestination): string {
  const [, search = ''] = /\?(.*)$/.exec(target) ?? []
  const present = new Set(search.split('&').map((pair) => decode(pair.split('=', 1)[0] ?? '')))
  const added = Object.entries(queries)
    .filter(([name]) => !present.has(name))
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
  if (added.length === 0) return target
  return `${target}${target.includes('?') ? (search === '' ? '' : '&') : '?'}${added.join('&')}`
}

function decode(name: string): string {
  try {
    return decodeURIComponent(name.replaceAll('+', ' '))
  } catch {
    // A malformed escape is nobody's name; the backend gets it as it is.
    return name
  }
}

function invalid(what: string): ConnectivityError {
  return new ConnectivityError('MESSAGE_INVALID', `the request target ${what}`)
}
