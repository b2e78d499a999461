import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createSecret, silentLogger, systemClock } from '@sallyport/core'
import {
  createMemoryGrantStore,
  createMemorySigningKeyStore,
  createPasswordHasher,
  createStaticDirectory,
  createTokenService,
  defaultLimits,
} from '@sallyport/token-service'
import { createTestCa } from '@sallyport/test-fixtures'
import { measureHeadCodec } from './src/head-codec.ts'
import { median } from './src/statistics.ts'

/**
 * `pnpm bench:answers`: how long official clients wait for tokens (their shortest limit is two seconds; half a second is our goal under load), also for a log-on with a
 * password, and how long an application waits until `destination-client` is imported (goal: 50 ms),
 * and what reading and rendering the head of a request costs. Prints figures; nothing passes or fails.
 */
const clientsAtOnce = 32
const requestsEach = 32
const [user, password, client, secret] = ['jane', 'correct horse', 'sb-bench!b1', 'a generated secret of a client']

const hasher = createPasswordHasher({ random: randomBytes })
const service = createTokenService({
  ...createStaticDirectory({
    tenants: [{ id: 'demo' }],
    clients: [{ id: client, tenant: 'demo', xsappname: 'bench!b1', secrets: [createSecret(secret)] }],
    users: [{ tenant: 'demo', name: user, password: createSecret(password), groups: [], attributes: {} }],
    hasher,
  }),
  keys: createMemorySigningKeyStore(),
  grants: createMemoryGrantStore({ clock: systemClock, bounds: defaultLimits }),
  hasher,
  address: { kind: 'loopback' },
  limits: defaultLimits,
  clock: systemClock,
  random: randomBytes,
  log: silentLogger,
})
const { certificate: cert, key } = createTestCa().issue({ subject: '/CN=bench', names: ['127.0.0.1'] })
await service.listenHttps({ host: '127.0.0.1', port: 0, tls: () => ({ cert, key }) })
// What is measured goes without TLS: handshakes are Node's.
const { port } = await service.listenHttp({ host: '127.0.0.1', port: 0 })

async function waitFor(parameters: Readonly<Record<string, string>>): Promise<number> {
  const begun = performance.now()
  const body = new URLSearchParams({ client_id: client, client_secret: secret, ...parameters })
  const answer = await fetch(`http://127.0.0.1:${port}/oauth/token`, { method: 'POST', body })
  const text = await answer.text()
  if (answer.status !== 200) throw new Error(`the token service answered ${answer.status}: ${text}`)
  return performance.now() - begun
}

async function manyAtOnce(parameters: Readonly<Record<string, string>>, clients: number, each: number): Promise<readonly number[]> {
  const times: number[] = []
  const one = async (): Promise<void> => {
    for (let count = 0; count < each; count++) times.push(await waitFor(parameters))
  }
  await Promise.all(Array.from({ length: clients }, one))
  return times.toSorted((a, b) => a - b)
}

const print = (what: string, sorted: readonly number[]): void => {
  const at = (share: number): string => (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1).padStart(8)
  console.log(`${what.padEnd(44)}${at(0.5)}${at(0.95)}${at(0.99)}${at(1)}`)
}

await manyAtOnce({ grant_type: 'client_credentials' }, 4, 8)
console.log(`${'ms'.padEnd(44)}${['median', '95 %', '99 %', 'longest'].map((word) => word.padStart(8)).join('')}`)
print(`client credentials, ${clientsAtOnce} at once`, await manyAtOnce({ grant_type: 'client_credentials' }, clientsAtOnce, requestsEach))
print('log-on with a password, 2 at once', await manyAtOnce({ grant_type: 'password', username: user, password }, 2, 8))
await service.close()

const script = 'const begun = performance.now(); await import(process.argv[1]); console.log(performance.now() - begun)'
const entry = join(import.meta.dirname, '..', '..', 'packages', 'destination-client', 'dist', 'index.js')
const imports: number[] = []
for (let count = 0; count < 15; count++) {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script, entry])
  imports.push(Number(stdout))
}
console.log(`${'import of destination-client, median of 15'.padEnd(44)}${(median(imports) ?? Number.NaN).toFixed(1).padStart(8)}`)

const { bytes, parse, format } = measureHeadCodec()
console.log(`reading and rendering a head of ${bytes} bytes: ${parse.toFixed(1)} and ${format.toFixed(1)} microseconds`)
