import { ConnectivityError } from '@sallyport/core'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { find, store } from '../conformance/look-up.ts'
import { type RunningService, startService } from '../conformance/running-service.ts'
import { startTokenServer, type TokenServer } from '../conformance/token-server.ts'
import type { OutgoingRequest } from '../src/index.ts'
import { type IssuedToken, readTokenAnswer } from '../src/authentication/token-answer.ts'

const secrets = ['Kännchen & Tee=4711', 'assertion.of.somebody', 'p%w"\\d+8', 'refresh/token==']
const request: OutgoingRequest = {
  method: 'POST',
  origin: 'https://auth.example',
  path: '/token',
  headers: { authorization: `Basic ${Buffer.from(`user:${secrets[2]}`).toString('base64')}` },
  body: new URLSearchParams({ client_secret: secrets[0] ?? '', assertion: secrets[1] ?? '', refresh_token: secrets[3] ?? '' }).toString(),
  route: { kind: 'internet' },
  tls: { trustAll: false, authorities: [], hostnames: 'Strict' },
  connectTimeoutMs: 1,
  readTimeoutMs: 1,
}
const nowMs = Date.UTC(2030, 0, 1)

/** Anything JSON can be, most often where a token server would put something else. */
const anything = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.string({ unit: 'binary' }),
  fc.double(),
  fc.constantFrom('', ' ', '1e9', '-1', 'Infinity', '9'.repeat(400)),
)
const member = fc.constantFrom(
  'access_token',
  'token_type',
  'expires_in',
  'scope',
  'refresh_token',
  'issued_token_type',
  'error',
  'error_description',
  '__proto__',
)
const json = fc.dictionary(member, anything, { maxKeys: 6 }).map((value) => JSON.stringify(value))
const likely = fc
  .record(
    {
      access_token: fc.oneof(fc.constant('token'), anything),
      expires_in: fc.oneof(fc.integer(), anything),
      token_type: anything,
      scope: anything,
    },
    { requiredKeys: ['access_token'] },
  )
  .map((value) => JSON.stringify(value))
const body = fc.oneof(
  json,
  likely,
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.jsonValue().map((value) => JSON.stringify(value)),
)
const status = fc.oneof(fc.constantFrom(200, 201, 204, 302, 400, 401, 500, 503), fc.integer({ min: 200, max: 599 }))

function read(code: number, text: string): IssuedToken | { readonly error: unknown } {
  try {
    return readTokenAnswer({ status: code, body: text }, request, nowMs)
  } catch (error) {
    return { error }
  }
}

function isShowable(error: unknown): boolean {
  return ConnectivityError.is(error) && error.message.length > 0 && error.message.length <= 1_000
}

function isSendable({ type, value, expiresAtMs = nowMs + 5_000 }: IssuedToken): boolean {
  return /^[\x21-\x7e]+ [\x21-\x7e]+$/.test(`${type} ${value}`) && Number.isSafeInteger(expiresAtMs) && expiresAtMs >= nowMs + 5_000
}

/** A secret as a careless server might repeat it. */
const echoed = fc
  .tuple(fc.constantFrom(...secrets, Buffer.from(`user:${secrets[2]}`).toString('base64')), fc.nat(4))
  .map(
    ([secret, form]) =>
      [
        secret,
        encodeURIComponent(secret),
        new URLSearchParams({ '': secret }).toString().slice(1),
        JSON.stringify(secret).slice(1, -1),
        secret,
      ][form] ?? '',
  )

describe('answers of token services', () => {
  it('become a token that can be sent, or one of our errors that can be shown', () => {
    fc.assert(
      fc.property(status, body, (code, text) => {
        const outcome = read(code, text)
        expect('error' in outcome ? isShowable(outcome.error) : isSendable(outcome)).toBe(true)
      }),
      { numRuns: 5_000 },
    )
  })

  it('never repeat a secret that was sent, in whatever form the server wraps it', () => {
    const text = fc.tuple(fc.string(), echoed, fc.string(), echoed).map((parts) => parts.join(' '))
    const wrapped = fc.oneof(
      text,
      text.map((description) => JSON.stringify({ error_description: description })),
      text.map((error) => JSON.stringify({ error })),
      text.map((other) => JSON.stringify({ unusual: { nested: other } })),
    )
    fc.assert(
      fc.property(fc.integer({ min: 300, max: 599 }), wrapped, (code, said) => {
        const outcome = read(code, said)
        const message = 'error' in outcome ? (outcome.error as Error).message : ''
        expect(message).not.toBe('')
        for (const secret of secrets) {
          expect(message).not.toContain(secret)
          expect(message).not.toContain(encodeURIComponent(secret))
        }
        expect(message).not.toContain(Buffer.from(`user:${secrets[2]}`).toString('base64'))
      }),
      { numRuns: 3_000 },
    )
  })
})

describe('token services on the wire', () => {
  let running: RunningService
  let tokenServer: TokenServer
  beforeAll(async () => {
    tokenServer = await startTokenServer()
    running = await startService()
  })
  afterAll(async () => {
    await running.close()
    await tokenServer.close()
  })

  it('make no look-up fail, whatever they answer', async () => {
    const password = 'Very-Secret-9'
    await store(running, {
      Name: 'd',
      Type: 'HTTP',
      URL: 'http://x',
      Authentication: 'OAuth2RefreshToken',
      clientId: 'c',
      clientSecret: password,
      tokenServiceURL: tokenServer.url,
    })
    await fc.assert(
      fc.asyncProperty(status, body, fc.boolean(), async (code, text, echo) => {
        tokenServer.answer((call, response) => {
          const shown = echo ? `${text}${call.form.get('client_secret')}` : text
          response.writeHead(code).end(code === 204 ? undefined : shown)
        })
        const found = await find(running, { 'x-refresh-token': 'r' }, { query: '?$skipCredentials=true' })
        expect(found.authTokens).toHaveLength(1)
        const [entry] = found.authTokens ?? []
        expect(entry?.error === undefined ? entry?.value !== '' : entry.type === '' && entry.value === '').toBe(true)
        // What a server puts into the token itself is its own business.
        expect(entry?.error ?? '').not.toContain(password)
      }),
      { numRuns: 300, interruptAfterTimeLimit: 8_000 },
    )
    expect(running.logged.join('\n')).not.toContain(password)
    expect(running.logged.join('\n')).not.toContain('"level":"error"')
  })
})
