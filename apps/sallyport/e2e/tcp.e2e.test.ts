import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { type Duplex, Readable } from 'node:stream'
import { connect as connectToHttp } from '@sallyport/http'
import { type Nginx, type Postgres, skipUnless, startNginx, startPostgres } from '@sallyport/real-backends'
import { connect, type TcpClient } from '@sallyport/tcp'
import { Client, Pool } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { stubApplication } from './found-destination.ts'
import { createInstallation, type Installation } from './installation.ts'

/** Of the transfer. `E2E_TRANSFER_MIB=1024` shows a GiB; the bound on memory stays the same. */
const transferMiB = Number(process.env['E2E_TRANSFER_MIB'] ?? 128)
/** What all processes of the way may grow by while it runs, whatever its size: windows and buffers of three hops, and a collector that takes its time. */
const maxGrowthMiB = 256

const signal = (): AbortSignal => AbortSignal.timeout(120_000)

describe.skipIf(skipUnless('postgres', 'nginx'))('servers behind the connector, by the names of their destinations', () => {
  let postgres: Postgres
  let nginx: Nginx
  let sink: Server
  let stack: Installation
  let ca: readonly string[]

  beforeAll(async () => {
    postgres = await startPostgres()
    nginx = await startNginx({
      configuration: ({ port }) => `server {
        listen 127.0.0.1:${port};
        location /files/ { return 200 "$request_method $http_x_extra $arg_from"; }
        location /private/ { return 200 "secret"; }
      }`,
    })
    sink = createServer({ allowHalfOpen: true }, hashAndSendBack)
    await once(sink.listen(0, '127.0.0.1'), 'listening')
    stack = await createInstallation()
    writeFileSync(
      stack.file('sallyport.yaml'),
      `version: 1
subaccounts:
  - id: demo
    destinations:
      - { Name: DATABASE, Type: TCP, ProxyType: OnPremise, Address: "corp.database:5432" }
      - { Name: SINK, Type: TCP, ProxyType: OnPremise, Address: "corp.sink:7000" }
      - { Name: WEB, Type: HTTP, ProxyType: OnPremise, URL: "http://corp.web:80/files", Authentication: NoAuthentication,
          URL.headers.x-extra: from-the-destination, URL.queries.from: destination }
      - { Name: WEB_PRIVATE, Type: HTTP, ProxyType: OnPremise, URL: "http://corp.web:80/private", Authentication: NoAuthentication }
connectors:
  - mappings:
      - { virtual: "corp.database:5432", internal: "tcp://127.0.0.1:${postgres.port}" }
      - { virtual: "corp.sink:7000", internal: "tcp://127.0.0.1:${(sink.address() as AddressInfo).port}" }
      - { virtual: "corp.web:80", internal: "http://127.0.0.1:${nginx.port}", resources: [{ path: /files, subPaths: true }] }
`,
    )
    await stack.dev(['--config', stack.file('sallyport.yaml')])
  }, 90_000)
  afterAll(async () => {
    await stack?.[Symbol.asyncDispose]()
    sink?.close()
    await nginx?.[Symbol.asyncDispose]()
    await postgres?.[Symbol.asyncDispose]()
  })
  beforeEach(() => {
    ;({ ca } = stubApplication(stack))
  })
  afterEach(() => void vi.unstubAllEnvs())

  it('PostgreSQL answers the pool of a driver that takes a socket, and ends with the client', async () => {
    const client = await connect('DATABASE', { ca })
    const database = new URL(await postgres.createDatabase()).pathname.slice(1)
    const pool = new Pool({ ...identity(postgres), database, max: 4, stream: () => client.stream() })
    await pool.query('create table notes (id int primary key, text text)')
    await Promise.all(Array.from({ length: 20 }, (_, id) => pool.query('insert into notes values ($1, $2)', [id, 'ß'.repeat(id * 1000)])))
    expect((await pool.query('select count(*)::int, sum(length(text))::int from notes')).rows).toEqual([{ count: 20, sum: 190_000 }])
    await pool.end()
    await client[Symbol.asyncDispose]()
    const left = `select count(*) from pg_stat_activity where datname = '${database}'`
    await expect.poll(() => postgres.run(left)).toMatch(/^\s*0\s*$/m)
  })

  it('PostgreSQL answers a driver and psql through a local port', async () => {
    await using client = await connect('DATABASE', { ca })
    await using forward = await client.listen({ port: 0 })
    const driver = new Client({ ...identity(postgres), host: '127.0.0.1', port: forward.address.port, database: 'postgres' })
    await driver.connect()
    expect((await driver.query('select 6 * 7 as answer')).rows).toEqual([{ answer: 42 }])
    await driver.end()
    const psql = await stack.program(
      'psql',
      ['-h', '127.0.0.1', '-p', String(forward.address.port), '-U', postgres.user, '-Atc', 'select 1 + 1', 'postgres'],
      {
        environment: { PGPASSWORD: postgres.password },
      },
    )
    expect(psql).toMatchObject({ code: 0, stdout: '2\n' })
  })

  it('nginx answers below the resource and nowhere else, with what the destination adds', async () => {
    await using web = await connectToHttp('WEB', { ca })
    const answer = await web.request('/x', { method: 'PUT', body: 'hello', signal: signal() })
    expect([answer.status, await answer.text()]).toEqual([200, 'PUT from-the-destination destination'])
    const escape = await web.request('/../private/', { signal: signal() })
    expect(escape.status).toBe(403)
    await using other = await connectToHttp('WEB_PRIVATE', { ca })
    expect((await other.request('/', { signal: signal() })).status).toBe(403)
  })

  it(`${transferMiB} MiB there and back, half-closed, arrive unchanged in bounded memory`, async () => {
    await using client = await connect('SINK', { ca })
    await transfer(client, 1)
    const before = await memoryMiB(stack)
    const seen = await transfer(client, transferMiB)
    expect(seen.back).toEqual(seen.sent)
    expect(seen.far).toBe(seen.sent)
    expect((await memoryMiB(stack)) - before).toBeLessThan(maxGrowthMiB)
  }, 300_000)
})

/** Sends back what arrives and, after its end, the hash of it. */
function hashAndSendBack(socket: Duplex): void {
  const hash = createHash('sha256')
  socket.on('error', () => {})
  socket.on('data', (part: Buffer) => {
    hash.update(part)
    if (!socket.write(part)) {
      socket.pause()
      socket.once('drain', () => socket.resume())
    }
  })
  socket.on('end', () => socket.end(hash.digest()))
}

/** Hashes of what was sent, of what came back, and what the far side has seen. */
async function transfer(
  client: TcpClient,
  mebibytes: number,
): Promise<{ readonly sent: string; readonly back: string; readonly far: string }> {
  const socket = await client.socket({ signal: signal() })
  const block = randomBytes(1024 * 1024)
  const sent = createHash('sha256')
  const source = Readable.from(
    (function* blocks() {
      for (let number = 0; number < mebibytes; number++) {
        block.writeUInt32BE(number)
        sent.update(block)
        yield Buffer.from(block)
      }
    })(),
  )
  source.pipe(socket)
  const back = createHash('sha256')
  let left = mebibytes * block.length
  let far = Buffer.alloc(0)
  for await (const part of socket as AsyncIterable<Buffer>) {
    back.update(part.subarray(0, left))
    if (part.length > left) far = Buffer.concat([far, part.subarray(left)])
    left = Math.max(0, left - part.length)
  }
  return { sent: sent.digest('hex'), back: back.digest('hex'), far: far.toString('hex') }
}

/** Resident memory of the stack, which is one process, and of this one. */
async function memoryMiB(stack: Installation): Promise<number> {
  const [record = ''] = readdirSync(join(stack.data, 'run'))
  const { pid } = JSON.parse(readFileSync(join(stack.data, 'run', record), 'utf8')) as { readonly pid: number }
  const { stdout } = await stack.program('ps', ['-o', 'rss=', '-p', String(pid)])
  const stackKiB = Number(stdout.trim() || Number.NaN)
  return (stackKiB * 1024 + process.memoryUsage().rss) / 1024 / 1024
}

function identity({ user, password }: Postgres): { readonly user: string; readonly password: string } {
  return { user, password }
}
