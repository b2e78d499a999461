import { defaultHeadLimits, parseResponseHead, type ResponseHead } from '@sallyport/http-head'
import { describe, expect, it } from 'vitest'
import { createMappingTable } from '../access-control/mapping-table.ts'
import { createCookieDomains } from './cookie-domains.ts'
import { transformResponseLines } from './response-transformation.ts'

function headOf(...lines: readonly string[]): ResponseHead {
  const result = parseResponseHead(Buffer.from(`HTTP/1.1 200 OK\r\n${lines.join('\r\n')}\r\n\r\n`), 0, 'GET', defaultHeadLimits)
  if (result.state !== 'complete') throw new Error(result.state)
  return result.head
}

const transform = (...lines: readonly string[]): readonly string[] | undefined =>
  transformResponseLines(headOf(...lines), createMappingTable([]), createCookieDomains([], createMappingTable([])))

describe('answers of backends', () => {
  it('go on byte for byte when there is nothing to rewrite', () => {
    expect(transform('Content-Length: 0', 'X-A: b')).toBeUndefined()
  })
  it('cannot claim that the connector has refused the request', () => {
    expect(transform('X-A: b', 'X-Connectivity-Error-Origin: connector', 'Content-Length: 0')).toEqual(['X-A: b', 'Content-Length: 0'])
  })
})
