import { STATUS_CODES } from 'node:http'
import { formatResponseHead } from '@sallyport/http-head'
import type { Refusal } from '../refusal.ts'

/** Renders a refusal as an HTTP answer: one line of plain text. An answer to `HEAD` says how long the text would be and leaves it out. */
export function formatRefusal(
  refusal: Refusal,
  options: { readonly requestId: string; readonly headOnly: boolean; readonly close: boolean },
): Buffer {
  const text = Buffer.from(`${refusal.text}\n`, 'utf8')
  const lines = [
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${text.length}`,
    'x-connectivity-error-origin: proxy',
    `x-request-id: ${options.requestId}`,
  ]
  if (refusal.status === 407) lines.unshift('Proxy-Authenticate: Bearer')
  if (refusal.status === 405) lines.unshift('Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS')
  if (options.close) lines.push('Connection: close')
  const head = formatResponseHead(1, refusal.status, STATUS_CODES[refusal.status] ?? '', lines)
  return options.headOnly ? head : Buffer.concat([head, text])
}
