import type { CookieDomainEntry } from '@sallyport/admin-api'
import type { MappingTable } from '../access-control/mapping-table.ts'

/** Puts virtual domains in the place of internal ones. */
export interface CookieDomains {
  /** The `Set-Cookie` value with its domain rewritten, or `undefined` to leave it alone. */
  rewrite(setCookie: string): string | undefined
}

/**
 * Looks a cookie's domain up in the domain mappings, then among the internal hosts of the system mappings. Case and a leading dot do not
 * matter for finding; the dot stays as the backend wrote it.
 */
export function createCookieDomains(domains: readonly CookieDomainEntry[], table: MappingTable): CookieDomains {
  const byInternal = new Map(domains.map((domain) => [bare(domain.internal), withoutDot(domain.virtual)]))
  return {
    rewrite(setCookie) {
      const attribute = lastDomainAttribute(setCookie)
      if (attribute === undefined) return undefined
      const { from, to } = attribute
      const domain = setCookie.slice(from, to)
      const key = bare(domain)
      const virtual = byInternal.get(key) ?? table.findByInternalHost(key)?.virtualHost
      if (virtual === undefined) return undefined
      return `${setCookie.slice(0, from)}${domain.startsWith('.') ? '.' : ''}${virtual}${setCookie.slice(to)}`
    },
  }
}

/** Where the value of the domain stands. RFC 6265 §5.3 takes the last one when there are several. */
function lastDomainAttribute(setCookie: string): { readonly from: number; readonly to: number } | undefined {
  let found: { readonly from: number; readonly to: number } | undefined
  for (let at = setCookie.indexOf(';'); at >= 0;) {
    const next = setCookie.indexOf(';', at + 1)
    const end = next < 0 ? setCookie.length : next
    const match = /^;[ \t]*domain[ \t]*=[ \t]*"?([^" \t]+)/i.exec(setCookie.slice(at, end))
    if (match !== null) {
      const to = at + match[0].length
      found = { from: to - (match[1] ?? '').length, to }
    }
    at = next
  }
  return found
}

function bare(domain: string): string {
  return withoutDot(domain).toLowerCase()
}

function withoutDot(domain: string): string {
  return domain.startsWith('.') ? domain.slice(1) : domain
}
