import { maxPathDecodings } from '../limits.ts'

/**
 * What the path of a request means to the backends that may read it.
 *
 * `plain`: nothing in it climbs or hides, so the received bytes decide. `climbing`: it holds dot segments; a reader that takes them
 * literally, one that decodes first and one that decodes twice arrive at different places, and all of them are in `readings`.
 * `refused`: readers disagree in ways that no comparison settles.
 */
export type RequestPath =
  | { readonly kind: 'plain'; readonly path: string }
  | { readonly kind: 'climbing'; readonly readings: readonly string[] }
  | { readonly kind: 'refused'; readonly reason: string }

/** Escapes, dots at the start of a segment, and everything that is not visible ASCII. Without any of them a path is plain. */
const suspicious = /%|\\|\/\.|[^\x21-\x7e]/
const malformedEscape = /%(?![0-9A-Fa-f]{2})/
const escape = /%([0-9A-Fa-f]{2})/g
/** Everything but blank to tilde and bytes above ASCII, the backslash left out of the range. */
const controlOrBackslash = /[^ -[\]-~\x80-\xff]/
/** UTF-8 that encodes a character in more bytes than it needs: C0, C1, E0 80–9F, F0 80–8F. */
const overlong = /[\xc0\xc1]|\xe0[\x80-\x9f]|\xf0[\x80-\x8f]/
/** A dot segment, also when a parameter, a fragment or a query that somebody decoded too early stands behind the dots. */
const dotSegment = /\/\.\.?(?=[/;#?]|$)/
const decoratedDotSegment = /\/\.\.?[;#?]/
/** `...`, `.. `, `. .`: names that some file systems shorten to a dot segment. */
const dotLookalike = /\/(?! *(?:\/|$))(?!\.\.?(?:[/;#?]|$))[. ]+(?=[/;#?]|$)/

/**
 * Reads the path of a request target (everything before the first `?`) the way each sane backend might.
 *
 * Why the received bytes suffice for a `plain` path: decoding, cutting parameters and merging slashes change what follows the
 * resource's own text, but never lead out of it; only dot segments do.
 */
export function readRequestPath(path: string): RequestPath {
  if (!suspicious.test(path)) return path.charCodeAt(0) === 47 ? { kind: 'plain', path } : refused('it does not start with a slash')
  return readSuspicious(path)
}

function readSuspicious(path: string): RequestPath {
  if (path.charCodeAt(0) !== 47) return refused('it does not start with a slash')
  if (/[^\x21-\x7e]/.test(path)) return refused('it holds a character that must be percent-encoded')
  if (path.includes('\\')) return refused('it holds a backslash')
  if (malformedEscape.test(path)) return refused('it holds a malformed percent-encoding')
  if (/%2f/i.test(path)) return refused('it holds an encoded slash')

  const levels = [path]
  for (let text = path; text.includes('%');) {
    const decoded = decodeOnce(text)
    if (decoded === text) break
    if (levels.length > maxPathDecodings) return refused('it is percent-encoded too often')
    if (controlOrBackslash.test(decoded)) return refused('it holds an encoded control character or backslash')
    if (overlong.test(decoded)) return refused('it holds an overlong encoding')
    levels.push(decoded)
    text = decoded
  }

  let climbs = false
  for (const level of levels) {
    if (dotLookalike.test(level)) return refused('it holds a segment of dots and blanks')
    if (!dotSegment.test(level)) continue
    climbs = true
    if (decoratedDotSegment.test(level)) return refused('it holds a dot segment with a parameter or fragment')
  }
  if (!climbs) return { kind: 'plain', path }

  const readings: string[] = []
  for (const level of levels) {
    // Merging them or not changes what a dot segment takes away; a segment of parameters alone is empty to those who cut parameters.
    if (/\/[/;]/.test(level)) return refused('it holds dot segments and empty segments together')
    if (/[#?]/.test(level)) return refused('it holds dot segments and a fragment together')
    const resolved = resolveDotSegments(level)
    if (resolved === undefined) return refused('its dot segments lead above the root')
    readings.push(resolved)
  }
  return { kind: 'climbing', readings }
}

/** Percent-decodes byte-wise: one escape becomes one character 0..255. */
export function decodeOnce(text: string): string {
  return text.replace(escape, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
}

/** RFC 3986 §5.2.4, except that climbing above the root is an error (`undefined`) instead of being ignored. */
export function resolveDotSegments(path: string): string | undefined {
  const kept: string[] = []
  const segments = path.slice(1).split('/')
  for (const [at, segment] of segments.entries()) {
    const last = at === segments.length - 1
    if (segment === '..') {
      if (kept.pop() === undefined) return undefined
      if (last) kept.push('')
    } else if (segment === '.') {
      if (last) kept.push('')
    } else kept.push(segment)
  }
  return `/${kept.join('/')}`
}

function refused(reason: string): RequestPath {
  return { kind: 'refused', reason }
}
