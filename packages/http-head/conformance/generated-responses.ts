import * as fc from 'fast-check'
import { body, line, mutated, reason } from './generated-requests.ts'

const meaningfulLine = fc.constantFrom(
  'Connection: keep-alive',
  'Connection: close',
  'Connection: x-hop',
  'Keep-Alive: timeout=5',
  'Server: test',
  'Set-Cookie: a=b; Path=/',
  'Location: http://erp/x',
  'Content-Type: text/plain',
)

const interim = fc.constantFrom('', '', 'HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n')

/** A response that this package accepts, interim ones in front. */
export const validResponse: fc.Arbitrary<string> = fc
  .record({
    interim,
    minorVersion: fc.constantFrom(1, 1, 1, 0),
    status: fc.oneof(fc.constantFrom(200, 204, 304, 404, 500), fc.integer({ min: 200, max: 599 })),
    reason,
    lines: fc.array(fc.oneof(line, meaningfulLine), { maxLength: 5 }),
    body,
  })
  .map((parts) => {
    const framed = parts.minorVersion === 0 && parts.body.lines[0]?.startsWith('Transfer') ? { lines: [], text: '' } : parts.body
    const start = `HTTP/1.${parts.minorVersion} ${parts.status} ${parts.reason}`
    return `${parts.interim}${[start, ...parts.lines, ...framed.lines].join('\r\n')}\r\n\r\n${framed.text}`
  })

export const mutatedResponse: fc.Arbitrary<string> = mutated(validResponse)
