import { createHmac } from 'node:crypto'

/** The token with another payload and its old signature: one claim more. */
export function alteredToken(token: string): string {
  const [header = '', payload = '', signature = ''] = token.split('.')
  return [header, part({ ...claims(payload), altered: true }), signature].join('.')
}

/** The claims of a token under a header that asks to be believed without a signature, or with one that anybody can make. */
export function unsignedToken(token: string, algorithm: 'none' | 'HS256'): string {
  const [header = '', payload = ''] = token.split('.')
  const input = `${part({ ...claims(header), alg: algorithm })}.${payload}`
  return `${input}.${algorithm === 'none' ? '' : createHmac('sha256', 'secret').update(input).digest('base64url')}`
}

function claims(encoded: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(encoded, 'base64url').toString('utf8')) as Record<string, unknown>
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
