import { maxRedirectLength } from './limits.ts'

/**
 * Tells whether a redirect target fits one of a client's patterns.
 *
 * Target and pattern are compared part by part, never as one string: `https://app.example.com**` must not admit `https://app.example.com.evil.test`. In the
 * host `*` stands for characters of one label and `**` for any labels; in the path `*` stands for characters of one segment and `**` for anything. A
 * pattern's port `*` is any port. The query of the target is free unless the pattern has one, because clients append to it. Targets with a
 * fragment, a user name or control characters never fit.
 *
 * @example
 * redirectAdmitted('https://app.acme.test/login/callback?authType=xsuaa', ['https://*.acme.test/login/**']) // true
 */
export function redirectAdmitted(target: string, patterns: readonly string[]): boolean {
  const url = parseRedirect(target)
  return url !== undefined && patterns.some((pattern) => fits(url, parsePattern(pattern)))
}

/** Reads a redirect target: an absolute http or https URL that every browser reads the same way. */
export function parseRedirect(target: string): URL | undefined {
  // Browsers drop tabs and line ends and turn backslashes round; what is written must be what is meant. A fragment would swallow the code.
  const plain = target.length <= maxRedirectLength && /^https?:\/\/[\x21\x24-\x5b\x5d-\x7e]+$/i.test(target)
  if (!plain || /^https?:\/\/[^/?]*@/i.test(target)) return undefined
  return URL.parse(target) ?? undefined
}

/** Why a pattern is unusable, or `undefined` when it is fine. */
export function redirectPatternProblem(pattern: string): string | undefined {
  if (pattern.length > maxRedirectLength) return `is longer than ${maxRedirectLength} characters`
  const parsed = parsePattern(pattern)
  if (parsed === undefined) return 'is not of the form https://host[:port]/path'
  const fixed = parsed.host.split('.').slice(-2)
  if (parsed.host.includes('*') && (fixed.length < 2 || fixed.some((label) => label.includes('*')))) {
    return 'would send codes anywhere: the last two labels of the host must be written out'
  }
  return undefined
}

interface Pattern {
  readonly scheme: string
  readonly host: string
  readonly port: string
  readonly path: string
  readonly query: string | undefined
}

function parsePattern(pattern: string): Pattern | undefined {
  const [, scheme, host, port, path, query] =
    /^(https?):\/\/([\w.*-]+|\[[\da-f:]+\])(?::(\d{1,5}|\*))?(\/[^?#\s]*|\*\*)?(?:\?([^#\s]*))?$/i.exec(pattern) ?? []
  if (scheme === undefined || host === undefined) return undefined
  // "https://host**" is how some descriptors write "any path"; the regular expression has taken the stars for the host's.
  const bare = path === undefined && /[^.*]\*\*$/.test(host)
  return {
    scheme: `${scheme.toLowerCase()}:`,
    host: (bare ? host.slice(0, -2) : host).toLowerCase(),
    port: port === undefined || port === (scheme.toLowerCase() === 'https' ? '443' : '80') ? '' : port,
    path: bare ? '/**' : (path ?? '/'),
    query,
  }
}

function fits(url: URL, pattern: Pattern | undefined): boolean {
  return (
    pattern !== undefined &&
    url.protocol === pattern.scheme &&
    matches(url.hostname, pattern.host, '.') &&
    (pattern.port === '*' || url.port === pattern.port) &&
    matches(url.pathname, pattern.path, '/') &&
    (pattern.query === undefined || url.search === `?${pattern.query}`)
  )
}

/**
 * Matches without going back, so that no pattern and no target takes longer than the product of their lengths. `boundary` is what a single `*` does not
 * cross; `**` crosses it.
 */
function matches(text: string, pattern: string, boundary: string): boolean {
  const tokens = pattern.match(/\*{2,}|[^]/g) ?? []
  let states = skipStars(new Set([0]), tokens)
  for (const character of text) {
    const next = new Set<number>()
    for (const state of states) {
      const token = tokens[state]
      if (token === undefined) continue
      if (token.startsWith('**') || (token === '*' && character !== boundary)) next.add(state)
      else if (token === character && token !== '*') next.add(state + 1)
    }
    states = skipStars(next, tokens)
    if (states.size === 0) return false
  }
  return states.has(tokens.length)
}

/** A star also stands for nothing: whoever is in front of it is behind it as well. A set is walked in order of insertion, additions included. */
function skipStars(states: Set<number>, tokens: readonly string[]): Set<number> {
  for (const state of states) if (tokens[state]?.startsWith('*') === true) states.add(state + 1)
  return states
}
