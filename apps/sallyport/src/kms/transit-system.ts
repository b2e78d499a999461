import { ConnectivityError, type KeyManagementSystem } from '@sallyport/core'
import type { Requester } from '../stack/request.ts'
import { parseObject } from '../stack/tokens.ts'
import type { VaultLogOn } from './vault-log-on.ts'

/**
 * Keys in the transit engine of HashiCorp Vault or OpenBao, over their HTTP API (encrypt, decrypt and keys below the mount). What the token needs is `update` on
 * `<mount>/encrypt/<key>` and `<mount>/decrypt/<key>`; with `read` on `<mount>/keys/<key>` its version can be shown, and a missing key is noticed before it is
 * used: whoever may also `create` would otherwise make one by using it.
 *
 * The requester is disposed with the system.
 */
export function createTransitSystem(options: {
  /** As the configuration calls it; for messages. */
  readonly name: string
  readonly url: string
  readonly mount: string
  readonly namespace: string | undefined
  readonly request: Requester
  readonly logOn: VaultLogOn
}): KeyManagementSystem {
  const { name, mount, namespace, request, logOn } = options
  const base = `${options.url.replace(/\/+$/, '')}/v1/`
  const headers = { 'x-vault-request': 'true', ...(namespace === undefined ? {} : { 'x-vault-namespace': namespace }) }

  async function send(path: string, body: object | undefined, signal: AbortSignal): Promise<Answer> {
    const ask = async (token: string): Promise<Answer> => {
      const answer = await request(base + path, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { ...headers, 'x-vault-token': token, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal,
      })
      return { status: answer.status, text: await answer.text() }
    }
    const token = await logOn.token(signal)
    const answer = await ask(token)
    if (answer.status !== 403) return answer
    // A token that has ended is refused like one that may not; another one tells.
    const other = await logOn.another(token, signal)
    return other === undefined ? answer : ask(other)
  }

  async function require(
    what: string,
    key: string,
    body: object | undefined,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, unknown>>> {
    const path = `${mount}/${what}/${key}`
    const { status, text } = await send(path, body, signal)
    if (status === 200) return dataOf(text) ?? fail(status, 'something that is no answer of the transit engine')
    return fail(status, firstErrorOf(text))

    function fail(answered: number, why: string): never {
      const message = `${name}: ${path} was answered with ${answered}${why === '' ? '' : ` (${why})`}`
      // 400, 403 and 404 are about this key and this token; anything else is about the server: sealed, standing by, overloaded, or none at all.
      if (answered === 400 || answered === 403 || answered === 404)
        throw new ConnectivityError('ENCRYPTION_KEY_UNAVAILABLE', `${message}; check the key, its policy and its versions`)
      throw new ConnectivityError('SERVICE_UNAVAILABLE', `${message}; check that it is unsealed and active`)
    }
  }

  return {
    key: (key) => ({
      async wrap(plaintext, signal) {
        const { status } = await send(`${mount}/keys/${named(key)}`, undefined, signal)
        if (status === 404)
          throw new ConnectivityError('ENCRYPTION_KEY_UNAVAILABLE', `${name} has no key ${key} below ${mount}; make it first`)
        const { ciphertext } = await require('encrypt', named(key), { plaintext: plaintext.toString('base64') }, signal)
        if (typeof ciphertext === 'string' && /^[\w-]+:v\d+:/.test(ciphertext)) return ciphertext
        throw new ConnectivityError('PROTOCOL_VIOLATION', `${name} has encrypted something and answers without a ciphertext`)
      },
      async unwrap(ciphertext, signal) {
        const { plaintext } = await require('decrypt', named(key), { ciphertext }, signal)
        if (typeof plaintext === 'string') return Buffer.from(plaintext, 'base64')
        throw new ConnectivityError('PROTOCOL_VIOLATION', `${name} has decrypted something and answers without a plaintext`)
      },
      async describe(signal) {
        const { latest_version: version, type } = await require('keys', named(key), undefined, signal)
        return {
          ...(typeof version === 'number' ? { version: String(version) } : {}),
          ...(typeof type === 'string' ? { algorithm: type } : {}),
        }
      },
    }),
    [Symbol.asyncDispose]: () => request[Symbol.asyncDispose](),
  }
}

/** As the engine names keys; nothing that could lead to another path. */
function named(key: string): string {
  if (/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/.test(key)) return key
  throw new ConnectivityError('ENCRYPTION_KEY_UNAVAILABLE', 'a key of a transit engine is called with letters, digits, ".", "_" and "-"')
}

interface Answer {
  readonly status: number
  readonly text: string
}

function dataOf(text: string): Readonly<Record<string, unknown>> | undefined {
  const { data } = parseObject(text)
  return typeof data === 'object' && data !== null ? (data as Readonly<Record<string, unknown>>) : undefined
}

const maxQuotedErrorLength = 300

/** The server's own words are about keys, versions and permissions; they never quote what was sent. */
function firstErrorOf(text: string): string {
  const { errors } = parseObject(text)
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined
  return typeof first === 'string' ? first.replaceAll(/\s+/g, ' ').trim().slice(0, maxQuotedErrorLength) : ''
}
