/**
 * Strict HTTP/1.1 head and body-framing codec of the data path. Pure functions: no I/O, no dependencies, no state beyond a body scanner.
 *
 * It accepts less than RFC 9112 allows, so that nothing it accepts is read differently by the next server; see the README for the list.
 *
 * @example
 * const result = parseRequestHead(chunk, 0, defaultHeadLimits)
 * if (result.state === 'refused') socket.end(formatResponseHead(1, result.refusal.status, 'Refused', ['Connection: close', 'Content-Length: 0']))
 * if (result.state === 'complete') {
 *   const { head } = result
 *   backend.write(formatRequestHead(head.method, head.target, head.lines))
 *   const body = createBodyScanner(head.framing)
 *   const end = body.scan(chunk, head.bytes)
 * }
 *
 * @packageDocumentation
 */
export { type Authority, parseAuthority } from './authority.ts'
export { type BodyScannerOptions, createBodyScanner } from './body-scanner.ts'
export { createDechunker, type Dechunker } from './dechunker.ts'
export { formatRequestHead, formatResponseHead } from './format-head.ts'
export { defaultHeadLimits } from './limits.ts'
export { parseRequestHead } from './request-head.ts'
export { parseRequestTarget, type RequestTarget } from './request-target.ts'
export { parseResponseHead } from './response-head.ts'
export type { BodyFraming, BodyScanner, HeadFields, HeadLimits, HeadRefusal, HeadResult, RequestHead, ResponseHead } from './types.ts'
