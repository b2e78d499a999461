/** What a token looks like: `token68` of RFC 9110 §11.2, which also bounds what goes into JSON and headers. */
const tokenText = /^[\w.~+/-]+=*$/

/** The token of a `Bearer` header value; `undefined` for anything else. */
export function bearerToken(value: string): string | undefined {
  if (value.length < 8 || value.charCodeAt(6) !== 0x20 || value.slice(0, 6).toLowerCase() !== 'bearer') return undefined
  const token = value.slice(7).trimStart()
  return tokenText.test(token) ? token : undefined
}

/** The token of a `Proxy-Authorization` value: `Bearer <token>`, or `Basic` with the token as user name and no password. */
export function proxyToken(value: string): string | undefined {
  if (!/^basic +/i.test(value)) return bearerToken(value)
  const pair = Buffer.from(value.slice(6).trim(), 'base64').toString('latin1')
  if (!pair.endsWith(':')) return undefined
  const token = pair.slice(0, -1)
  return tokenText.test(token) ? token : undefined
}
