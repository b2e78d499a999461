import { inspect } from 'node:util'
import {
  ConnectivityError,
  createSecret,
  type Credentials,
  type HttpDestination,
  type Logger,
  parseDestination,
  systemClock,
} from '@sallyport/core'
import { createDirectDial } from '@sallyport/dial'
import { createSocketNetwork, createTestIssuer, type FarEnd } from '@sallyport/test-fixtures'
import { expect, it } from 'vitest'
import { createHttpAdapter } from '../src/index.ts'

const issuer = createTestIssuer()
const secrets = {
  proxyToken: issuer.technical(),
  userToken: issuer.user('ann@example.org'),
  password: 'p4ss-w0rd-of-ann',
  header: 'opaque-token-0123456789',
}

const credentialKinds: readonly Credentials[] = [
  { kind: 'principal' },
  { kind: 'basic', user: 'ann', password: createSecret(secrets.password) },
  { kind: 'header', name: 'Authorization', value: createSecret(`Bearer ${secrets.header}`) },
]

/** Everything that may stand where the proxy should be. Some give back what they were sent, and an error must not carry it on. */
const peers: Readonly<Record<string, (far: FarEnd) => void>> = {
  'resets at once': (far) => far.reset(),
  'resets after the request': (far) => void far.stream.once('data', () => far.reset()),
  'ends after the request': ({ stream }) => void stream.once('data', () => stream.end()),
  'gives the request back': ({ stream }) => void stream.once('data', (head: Buffer) => stream.end(head)),
  'gives the request back as headers': ({ stream }) =>
    void stream.once('data', (head: Buffer) =>
      stream.end(
        `HTTP/1.1 200 OK\r\n${head
          .toString('latin1')
          .replace(/^.*\r\n/, '')
          .trimEnd()}\r\nbad line\r\n\r\n`,
      ),
    ),
  'gives the request back as a length': ({ stream }) =>
    void stream.once('data', (head: Buffer) =>
      stream.end(`HTTP/1.1 200 OK\r\nContent-Length: ${/Bearer (\S+)/.exec(head.toString('latin1'))?.[1] ?? 'x'}\r\n\r\n`),
    ),
  'never ends its head': ({ stream }) =>
    void stream.once('data', (head: Buffer) => stream.write(`HTTP/1.1 200 OK\r\n${`X-A: ${head.toString('base64')}\r\n`.repeat(100)}`)),
  'breaks off in the body': (far) =>
    void far.stream.once('data', (head: Buffer) => {
      far.stream.write(`HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n${head.toString('latin1')}`)
      setImmediate(() => far.reset())
    }),
  'is silent': ({ stream }) => void stream.resume(),
}

it('PR-008 shows no JWT, password or token in any error or log line, whatever stands where the proxy should be', async () => {
  await using network = createSocketNetwork()
  const lines: unknown[] = []
  const write = (fields: object, message: string): void => void lines.push({ ...fields, message })
  const log: Logger = { debug: write, info: write, warn: write, error: write, child: () => log }
  const codes = new Set<unknown>()
  const addresses = [await network.unused(), ...(await Promise.all(Object.values(peers).map((peer) => network.serve(peer))))]
  const destination = parseDestination({ Name: 'ERP', Type: 'HTTP', URL: 'http://erp.virtual', ProxyType: 'OnPremise' }) as HttpDestination
  for (const address of addresses) {
    const adapter = createHttpAdapter({
      clock: systemClock,
      proxy: { address, tenant: 't', token: async () => createSecret(secrets.proxyToken) },
    })
    for (const credentials of credentialKinds) {
      await using client = await adapter.connect(destination, {
        dial: createDirectDial(),
        credentials,
        principal: { kind: 'business', token: createSecret(secrets.userToken) },
        signal: AbortSignal.timeout(10_000),
        log,
      })
      const error: unknown = await client
        .request('/', { signal: AbortSignal.timeout(200) })
        .then((response) => response.text())
        .then(
          (text) => new Error(`no error: ${text.length} bytes`),
          (reason: unknown) => reason,
        )
      codes.add(ConnectivityError.is(error) ? error.code : error)
      const shown = inspect(error, { depth: 20, showHidden: true, maxStringLength: null }) + JSON.stringify(error) + (error as Error).stack
      for (const [what, secret] of Object.entries(secrets)) expect(shown.includes(secret), `${what} in ${String(error)}`).toBe(false)
      expect(shown).not.toContain(Buffer.from(`ann:${secrets.password}`).toString('base64'))
    }
  }
  expect(codes).toEqual(new Set(['BACKEND_UNREACHABLE', 'PROTOCOL_VIOLATION', 'DEADLINE_EXCEEDED']))
  expect(inspect(lines, { depth: 20 })).not.toMatch(new RegExp(Object.values(secrets).join('|')))
})
