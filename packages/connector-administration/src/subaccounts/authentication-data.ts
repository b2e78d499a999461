import { z } from 'zod'
import { maxAuthenticationDataLength } from '../limits.ts'
import { invalidRequest } from '../rest/rest-error.ts'

/**
 * Everything that adds a subaccount, in one text that can be kept in a file for a few minutes. The code in it is a secret; its expiry stands here for people to
 * see, and is decided by the service that has made the code.
 */
export interface AuthenticationData {
  readonly regionHost: string
  readonly subaccount: string
  /** What people call the subaccount. */
  readonly displayName: string
  /** Of the connectivity service. */
  readonly url: string
  /** PEM of the authorities that sign the service. */
  readonly authority: string
  /** One-time pairing code. */
  readonly code: string
  readonly expiresAtMs: number
}

const schema = z.object({
  version: z.literal(1),
  regionHost: z.string().min(1).max(253),
  subaccount: z.string().min(1).max(200),
  displayName: z.string().max(200),
  url: z.url({ protocol: /^https$/ }).max(500),
  authority: z.string().min(1).max(100_000),
  code: z.string().min(1).max(100),
  expiresAtMs: z.int(),
})

/** As text without line breaks: base64url of JSON. */
export function formatAuthenticationData(data: AuthenticationData): string {
  return Buffer.from(JSON.stringify({ version: 1, ...data }), 'utf8').toString('base64url')
}

/** Reads what {@link formatAuthenticationData} wrote; line breaks of a paste do not matter. @throws RestError 400, also when it has expired. */
export function parseAuthenticationData(text: string, nowMs: number): AuthenticationData {
  const plain = text.replaceAll(/\s/g, '')
  const read = plain.length > maxAuthenticationDataLength ? undefined : schema.safeParse(tryParseJson(plain))
  if (read?.success !== true)
    throw invalidRequest('authenticationData is not what "sallyport connector code --authentication-data" writes, or not the whole of it')
  if (read.data.expiresAtMs <= nowMs)
    throw invalidRequest(`the authentication data has expired at ${new Date(read.data.expiresAtMs).toISOString()}; have new one made`)
  const { version: _version, ...data } = read.data
  return data
}

function tryParseJson(base64url: string): unknown {
  try {
    return JSON.parse(Buffer.from(base64url, 'base64url').toString('utf8'))
  } catch {
    // Said by the check, as anything else that is none.
    return undefined
  }
}
