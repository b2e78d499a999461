import { ConnectivityError } from '@sallyport/core'
import { createManualClock, createTestIssuer, type ManualClock } from '@sallyport/test-fixtures'
import { expect, it } from 'vitest'
import { createRemoteKeySource, createTokenVerifier, type KeySource } from './index.ts'

type Keys = readonly Readonly<Record<string, unknown>>[]

const issuer = createTestIssuer()
const rotated = createTestIssuer({ keyId: 'key-2' })
const minute = 60_000

interface Server {
  readonly clock: ManualClock
  readonly source: ReturnType<typeof createRemoteKeySource>
  readonly requests: { readonly url: string; readonly signal: AbortSignal }[]
  answer: () => Promise<Keys>
}

function serve(answer: () => Promise<Keys>, issuers: readonly string[] = [issuer.issuer]): Server {
  const clock = createManualClock()
  const requests: Server['requests'] = []
  const server: Server = {
    clock,
    requests,
    answer,
    source: createRemoteKeySource({
      issuers: issuers.map((name, index) => ({ issuer: name, url: new URL(`https://keys-${index}.example.org/token_keys`) })),
      fetchKeys(url, signal) {
        requests.push({ url: url.href, signal })
        return server.answer()
      },
      clock,
      maxAgeMs: 60 * minute,
      minRefreshMs: minute,
      timeoutMs: 5000,
      maxStaleMs: 240 * minute,
    }),
  }
  return server
}

const find = (server: Server, keyId = 'key-1', name = issuer.issuer): ReturnType<KeySource['find']> =>
  server.source.find(name, keyId, 'RS256')
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

it('fetches the keys of an issuer when they are first needed, once for all who wait', async () => {
  const server = serve(async () => issuer.keys)
  expect(server.requests).toHaveLength(0)
  const found = await Promise.all([find(server), find(server), find(server)])
  expect(found[0]).toMatchObject({ kty: 'RSA', n: issuer.keys[0]?.['n'] })
  expect(found[1]).toBe(found[0])
  expect(server.requests.map(({ url }) => url)).toEqual(['https://keys-0.example.org/token_keys'])
})

it('asks nobody about issuers that are not configured', async () => {
  const server = serve(async () => issuer.keys)
  expect(await find(server, 'key-1', 'https://attacker.example.org')).toBeUndefined()
  expect(server.requests).toHaveLength(0)
})

it('keeps the keys of issuers apart', async () => {
  const server = serve(async () => issuer.keys, [issuer.issuer, 'https://other.example.org'])
  server.answer = async () => (server.requests.length === 1 ? issuer.keys : rotated.keys)
  expect(await find(server, 'key-1')).toBeDefined()
  expect(await find(server, 'key-2', 'https://other.example.org')).toBeDefined()
  expect(await find(server, 'key-1', 'https://other.example.org')).toBeUndefined()
  expect(server.requests.map(({ url }) => url)).toEqual(['https://keys-0.example.org/token_keys', 'https://keys-1.example.org/token_keys'])
})

it('fetches again for an unknown key id, at most once per interval', async () => {
  const server = serve(async () => issuer.keys)
  await find(server)
  server.answer = async () => rotated.keys
  expect(await find(server, 'key-2')).toBeUndefined()
  expect(server.requests).toHaveLength(1)
  server.clock.advance(minute)
  const revision = server.source.revision
  const found = await Promise.all([find(server, 'key-2'), find(server, 'key-2'), find(server, 'invented')])
  expect(found[0]).toBeDefined()
  expect(found[2]).toBeUndefined()
  expect(server.requests).toHaveLength(2)
  expect(server.source.revision).not.toBe(revision)
  for (let i = 0; i < 100; i++) expect(await find(server, `invented-${i}`)).toBeUndefined()
  expect(server.requests).toHaveLength(2)
})

it('refreshes by itself, and changes the revision only when keys changed', async () => {
  const server = serve(async () => issuer.keys)
  const key = await find(server)
  const revision = server.source.revision
  server.answer = async () => issuer.keys.map((jwk) => ({ ...jwk }))
  server.clock.advance(60 * minute)
  await settle()
  expect(server.requests).toHaveLength(2)
  expect(server.source.revision).toBe(revision)
  expect(await find(server)).toBe(key)
  server.answer = async () => rotated.keys
  server.clock.advance(60 * minute)
  await settle()
  expect(server.source.revision).not.toBe(revision)
  expect(await find(server)).toBeUndefined()
})

it('voids verified tokens when a refresh removes the key that signed them', async () => {
  const server = serve(async () => issuer.keys)
  const verifier = createTokenVerifier({
    keys: server.source,
    clock: server.clock,
    expiryToleranceSeconds: 0,
    notBeforeToleranceSeconds: 0,
    maxCachedTokens: 10,
    maxTokenBytes: 8192,
  })
  const token = issuer.sign({ exp: server.clock.now() / 1000 + 36_000, iat: 0 })
  expect(await verifier.verify(token)).toMatchObject({ valid: true })
  server.answer = async () => rotated.keys
  server.clock.advance(60 * minute)
  await settle()
  expect(verifier.peek(token)).toBeUndefined()
  expect(await verifier.verify(token)).toEqual({ valid: false, reason: 'issuer' })
})

it('serves known keys while the server is out of reach, up to the bound', async () => {
  const server = serve(async () => issuer.keys)
  await find(server)
  server.answer = () => Promise.reject(new ConnectivityError('PEER_UNREACHABLE', 'down'))
  for (let elapsed = 0; elapsed < 239; elapsed++) {
    server.clock.advance(minute)
    await settle()
  }
  expect(await find(server)).toBeDefined()
  await expect(find(server, 'key-2')).rejects.toThrow(/cannot be fetched/)
  const revision = server.source.revision
  server.clock.advance(minute)
  await settle()
  await expect(find(server)).rejects.toThrow(/cannot be fetched/)
  expect(server.source.revision).not.toBe(revision)
  // One attempt a minute since the keys became too old to trust blindly.
  expect(server.requests.length).toBeLessThanOrEqual(1 + 181)
  server.answer = async () => issuer.keys
  server.clock.advance(minute)
  await settle()
  expect(await find(server)).toBeDefined()
})

it('does not ask a failing server more often than the interval allows', async () => {
  const server = serve(() => Promise.reject(new Error('down')))
  for (let i = 0; i < 10; i++) await expect(find(server)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
  expect(server.requests).toHaveLength(1)
  server.answer = async () => issuer.keys
  server.clock.advance(minute)
  expect(await find(server)).toBeDefined()
})

it('gives up on a silent server and aborts the request', async () => {
  const server = serve(() => new Promise(() => {}))
  const waiting = find(server)
  server.clock.advance(5000)
  await expect(waiting).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
  expect(server.requests[0]?.signal.aborted).toBe(true)
})

it('stops when it is disposed', async () => {
  const server = serve(async () => issuer.keys)
  await find(server)
  server.source[Symbol.dispose]()
  server.clock.advance(24 * 60 * minute)
  await settle()
  expect(server.requests).toHaveLength(1)
  const silent = serve(() => new Promise(() => {}))
  const waiting = find(silent)
  silent.source[Symbol.dispose]()
  await expect(waiting).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
})

it('survives an answer that is no key set', async () => {
  const server = serve(async () => [null, 1, 'x', {}, [], { kid: 'key-1' }] as unknown as Keys)
  expect(await find(server)).toBeUndefined()
  for (const answer of ['x', undefined, {}]) {
    const broken = serve(async () => answer as unknown as Keys)
    await expect(find(broken)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
  }
})
