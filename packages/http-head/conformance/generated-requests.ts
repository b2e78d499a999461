import * as fc from 'fast-check'

const tokenCharacters = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
const charactersBetween = (from: number, to: number, without = ''): string[] =>
  Array.from({ length: to - from + 1 }, (_, at) => String.fromCharCode(from + at)).filter((character) => !without.includes(character))

const textOf = (characters: readonly string[], minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...characters), minLength, maxLength })

const token = textOf(tokenCharacters.split(''), 1, 12)
const method = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH', 'PROPFIND') },
  token,
)
const path = textOf(charactersBetween(0x21, 0x7e, '#'), 0, 30).map((rest) => `/${rest}`)
const host = fc.constantFrom('erp', 'ERP.example:8000', 'under_score:1', '10.0.0.1:80', '[::1]:8080', 'a.b.')
const target = fc.oneof(
  { weight: 6, arbitrary: path },
  {
    weight: 2,
    arbitrary: fc.tuple(host, fc.oneof(path, fc.constantFrom('', '?x=1'))).map(([authority, rest]) => `http://${authority}${rest}`),
  },
  fc.constantFrom('*', '//erp/x', '/?', '/%2e%2e/%00', 'erp:443'),
)
const value = textOf([...charactersBetween(0x20, 0x7e), ...charactersBetween(0x80, 0xff), '\t'], 0, 20)
export const reason: fc.Arbitrary<string> = value.map((text) => text.trim())
const blanks = fc.constantFrom('', ' ', '\t', '  ')
export const line: fc.Arbitrary<string> = fc
  .tuple(token, blanks, value, blanks)
  .map(([name, before, text, after]) => `X-${name}:${before}${text}${after}`)
const meaningfulLine = fc.constantFrom(
  'Connection: keep-alive',
  'Connection: close',
  'Connection: Upgrade',
  'Connection: x-hop, TE',
  'Upgrade: websocket',
  'Upgrade: h2c',
  'Proxy-Connection: keep-alive',
  'Expect: 100-continue',
  'TE: trailers',
  'Trailer: X-Sum',
  'Accept: text/plain',
  'Cookie: a=b; c=d',
  'Content-Type: text/plain',
)

/** A body and the header lines that frame it. */
export interface Body {
  readonly lines: readonly string[]
  readonly text: string
}
const data = textOf([...charactersBetween(0, 0xff)], 0, 40)
const extension = fc.constantFrom('', '', '', ';a', ';a=b', ';a="b c"')
const chunk = fc
  .tuple(
    data.filter((text) => text !== ''),
    extension,
    fc.boolean(),
    fc.nat(3),
  )
  .map(([text, ext, upper, zeros]) => {
    const size = text.length.toString(16)
    return `${'0'.repeat(zeros)}${upper ? size.toUpperCase() : size}${ext}\r\n${text}\r\n`
  })
const trailers = fc.array(line, { maxLength: 2 }).map((lines) => lines.map((text) => `${text}\r\n`).join(''))
export const body: fc.Arbitrary<Body> = fc.oneof(
  fc.constant({ lines: [], text: '' }),
  data.map((text) => ({ lines: [`Content-Length: ${text.length}`], text })),
  fc.tuple(fc.array(chunk, { maxLength: 3 }), fc.constantFrom('0', '000', '0;x=y'), trailers).map(([chunks, last, end]) => ({
    lines: ['Transfer-Encoding: chunked'],
    text: `${chunks.join('')}${last}\r\n${end}\r\n`,
  })),
)

/** A request that this package accepts, with everything that is allowed and unusual. */
export interface GeneratedRequest {
  readonly head: string
  readonly body: string
}

export const validRequest: fc.Arbitrary<GeneratedRequest> = fc
  .record({
    method,
    target,
    minorVersion: fc.constantFrom(1, 1, 1, 0),
    host,
    lines: fc.array(fc.oneof(line, meaningfulLine), { maxLength: 6 }),
    body,
    hostAt: fc.nat(6),
    emptyLine: fc.constantFrom('', '', '', '\r\n'),
  })
  .map((parts) => {
    const framed = parts.minorVersion === 0 && parts.body.lines[0]?.startsWith('Transfer') ? { lines: [], text: '' } : parts.body
    const lines = [...parts.lines, ...framed.lines]
    lines.splice(parts.hostAt, 0, `Host: ${parts.host}`)
    const start = `${parts.emptyLine}${parts.method} ${parts.target} HTTP/1.${parts.minorVersion}`
    return { head: `${[start, ...lines].join('\r\n')}\r\n\r\n`, body: framed.text }
  })

/** What request smuggling is made of. */
const tricks: readonly string[] = [
  '\r',
  '\n',
  '\r\n',
  '\n\r',
  '\r\n\r\n',
  '\n\n',
  ' ',
  '\t',
  '\0',
  '\x0b',
  '\x0c',
  '\x1f',
  '\x7f',
  '\x85',
  '\xa0',
  '\xff',
  ':',
  ';',
  ',',
  '"',
  '#',
  '\r\n ',
  '\r\n\t',
  ' :',
  '0',
  '1',
  'a',
  '+',
  '-',
  '0x',
  '%',
  '@',
  '[',
  ']',
  '\\',
  'HTTP/1.1',
  '0\r\n\r\n',
  '\r\n0\r\n',
  'Content-Length: 5\r\n',
  'Content-Length: 0\r\n',
  'Content-Length : 3\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding:\x0bchunked\r\n',
  'Transfer-Encoding: identity\r\n',
  'Host: other\r\n',
  'Connection: Content-Length\r\n',
  'Connection: close\r\n',
  'X:',
  'chunked',
  ', chunked',
]

interface Mutation {
  readonly kind: 'insert' | 'replace' | 'delete' | 'repeat'
  /** Where, as a share of the text. */
  readonly at: number
  readonly bytes: number
  readonly trick: string
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom('insert', 'replace', 'delete', 'repeat'),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  bytes: fc.integer({ min: 1, max: 20 }),
  trick: fc.constantFrom(...tricks),
})

/** Texts with one or two faults, anywhere or right behind a line end, where they hurt most. */
export function mutated(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .tuple(texts, fc.array(fc.tuple(mutation, fc.boolean()), { minLength: 1, maxLength: 2 }))
    .map(([valid, mutations]) => mutations.reduce((text, [change, atLine]) => mutate(text, change, atLine), valid))
}

export const mutatedRequest: fc.Arbitrary<string> = mutated(validRequest.map(({ head, body: text }) => head + text))

function mutate(text: string, { kind, at, bytes, trick }: Mutation, atLine: boolean): string {
  const anywhere = Math.floor(at * text.length)
  const lineStart = text.indexOf('\r\n', anywhere)
  const from = atLine && lineStart >= 0 ? lineStart + 2 : anywhere
  if (kind === 'insert') return text.slice(0, from) + trick + text.slice(from)
  if (kind === 'replace') return text.slice(0, from) + trick + text.slice(from + trick.length)
  if (kind === 'delete') return text.slice(0, from) + text.slice(from + (bytes % 3) + 1)
  return text.slice(0, from) + text.slice(from, from + bytes) + text.slice(from)
}
