import type { OutgoingRequest } from './outgoing-request.ts'

/** Fields of a token request that prove who somebody is. */
const secretFields: readonly string[] = [
  'actor_token',
  'assertion',
  'client_assertion',
  'client_secret',
  'code',
  'code_verifier',
  'password',
  'refresh_token',
  'subject_token',
]

/** Shorter ones would take ordinary words out of a message, and protect nothing. */
const minSecretLength = 4

/** A server may repeat what it was sent. Callers who asked for no credentials must not get them that way. */
export function withoutSecrets(text: string, request: OutgoingRequest): string {
  const form = new URLSearchParams(request.body ?? '')
  const [, scheme, credentials = ''] = /^(\S+) (.+)$/.exec(request.headers['authorization'] ?? '') ?? []
  const password =
    scheme === 'Basic'
      ? Buffer.from(credentials, 'base64')
          .toString('utf8')
          .replace(/^[^:]*:/, '')
      : ''
  return [...secretFields.flatMap((name) => form.getAll(name)), credentials, password]
    .flatMap((secret) => [secret, encodeURIComponent(secret), new URLSearchParams({ '': secret }).toString().slice(1), quoted(secret)])
    .filter((secret) => secret.length >= minSecretLength)
    .toSorted((a, b) => b.length - a.length)
    .reduce((shown, secret) => shown.replaceAll(secret, '[redacted]'), text)
}

/** As JSON has it between its quotes. */
function quoted(secret: string): string {
  return JSON.stringify(secret).slice(1, -1)
}
