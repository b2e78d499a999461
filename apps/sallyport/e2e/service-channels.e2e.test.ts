import type { ChildProcess } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { type Postgres, skipUnless, startPostgres } from '@sallyport/real-backends'
import { Client, Pool } from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { readConnectorReports } from '../src/cli/connector-reports.ts'
import type { ConnectorReport } from '../src/stack/connector-report.ts'
import { openDataFolder } from '../src/stack/data-folder.ts'
import { createInstallation, type Installation } from './installation.ts'

/** Token service, destination service, connectivity proxy, connectivity service. */
const cloudParts = 4
/** An address of this machine that nobody else uses: ports of ABAP systems are fixed. */
const host = `127.${[0, 0, 0].map(() => 1 + Math.floor(Math.random() * 250)).join('.')}`
const ports = { database: 5432, sink: 7000, machine: 2222, abap: 3305, unmapped: 7001, elsewhere: 7002, taken: 7003 }
/** Far longer than it takes: a machine that is busy with something else is no failure. */
const patience = { timeout: 45_000 }
const testLimit = { timeout: 120_000 }
const abapHost = 'guid.abap.eu10.hana.ondemand.com'

type Channel = ConnectorReport['channels'][number]

let stack: Installation
let postgres: Postgres
let sink: Server
let blocker: Server
let onPremise: string
const sunk: Socket[] = []
const clients = new Set<Socket>()
const processes = new Map<string, ChildProcess>()

const cloudRoles = 'token-service,destination-service,connectivity-proxy'
function startRole(role: string): void {
  const isConnector = role === 'connector'
  const file = stack.file(isConnector ? 'connector.yaml' : 'server.yaml')
  const words = ['serve', role, '--config', file, '--port-offset', String(stack.portOffset)]
  processes.set(role, stack.start(words, isConnector ? { data: onPremise } : {}))
}
async function kill(role: string): Promise<void> {
  const child = processes.get(role) as ChildProcess
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}
/** What `sallyport channel list` shows, without a process for each look; nothing while no connector runs. */
async function listChannels(): Promise<readonly Channel[]> {
  const reports = await readConnectorReports(openDataFolder(onPremise)).catch(() => [])
  return reports.flatMap(({ channels }) => channels)
}
async function channel(port: number): Promise<Channel | undefined> {
  return (await listChannels()).find((one) => one.port === port)
}
async function opened(port: number): Promise<void> {
  await expect.poll(async () => (await channel(port))?.state, patience).toBe('open')
}
async function client(port: number): Promise<Socket> {
  const socket = connect({ host, port, allowHalfOpen: true })
  clients.add(socket)
  await once(socket, 'connect')
  socket.on('error', () => {})
  return socket
}
function endOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
    socket.once('end', () => resolve('end'))
    socket.resume()
  })
}
const outcome = (port: number): Promise<string> => client(port).then(endOf, (error: NodeJS.ErrnoException) => error.code ?? '')

function writeConnector(changes: { readonly comment?: string; readonly without?: number } = {}): void {
  const cluster = `localhost:${stack.port('tunnel')}`
  const list = [
    { type: 'K8S', k8sCluster: `tcp://${cluster}/orders.db`, port: ports.database, connections: 2 },
    { type: 'K8S', k8sCluster: cluster, k8sService: 'sink', port: ports.sink, comment: changes.comment ?? '' },
    { type: 'VirtualMachine', name: 'vm', endpointId: 'b1a2', port: ports.machine },
    { type: 'ABAPCloud', abapCloudTenantHost: abapHost, instanceNumber: 5 },
    { type: 'K8S', k8sCluster: cluster, k8sService: 'nobody-offers-this', port: ports.unmapped },
    { type: 'K8S', k8sCluster: 'another.example.org', k8sService: 'sink', port: ports.elsewhere },
    { type: 'K8S', k8sCluster: cluster, k8sService: 'sink', port: ports.taken },
  ]
  const channels = list.filter(({ port }) => port === undefined || port !== changes.without).map((entry) => ({ ...entry, host }))
  writeFileSync(stack.file('connector.yaml'), JSON.stringify({ version: 1, connectors: [{ audit: { level: 'ALL' }, channels }] }))
}

function writeServer(more: readonly object[] = []): void {
  const sinkAddress = `127.0.0.1:${(sink.address() as AddressInfo).port}`
  const mappings = [
    { type: 'TCP', subaccountId: 'demo', serviceId: 'orders.db', internalAddress: `localhost:${postgres.port}` },
    { type: 'TCP', subaccountId: 'demo', serviceId: 'sink', internalAddress: sinkAddress },
    { type: 'TCP', subaccountId: 'demo', serviceId: 'b1a2', internalAddress: sinkAddress },
    { type: 'RFC', subaccountId: 'demo', serviceId: abapHost, internalAddress: sinkAddress },
    { type: 'TCP', subaccountId: 'other', serviceId: 'nobody-offers-this', internalAddress: sinkAddress },
    ...more.map((mapping) => ({ internalAddress: sinkAddress, ...mapping })),
  ]
  const server = { version: 1, subaccounts: [{ id: 'demo' }, { id: 'other' }], server: { serviceChannels: { mappings } } }
  writeFileSync(stack.file('server.yaml'), JSON.stringify(server))
}

describe.skipIf(skipUnless('postgres'))('service channels between two processes', testLimit, () => {
  beforeAll(async () => {
    postgres = await startPostgres()
    // Takes everything, and answers its hash once the client has ended.
    sink = createServer({ allowHalfOpen: true }, (socket) => {
      sunk.push(socket)
      socket.on('error', () => {})
      const hash = createHash('sha256')
      socket.on('data', (part) => hash.update(part)).on('end', () => socket.end(hash.digest()))
    })
    await once(sink.listen(0, '127.0.0.1'), 'listening')
    blocker = createServer()
    await once(blocker.listen(ports.taken, host), 'listening')
    stack = await createInstallation()
    onPremise = join(stack.folder, 'on-premise')
    writeServer()
    writeConnector()
    startRole(cloudRoles)
    await stack.ready(cloudParts)
    const { code } = await stack.json<{ code: string }>(['connector', 'code', '--subaccount', 'demo'])
    const address = `https://localhost:${stack.port('connectivityApi')}`
    const init = await stack.run(['connector', 'init', '--server', address, '--authority', join(stack.data, 'ca.crt')], {
      data: onPremise,
      environment: { SALLYPORT_PAIRING_CODE: code },
    })
    if (init.code !== 0) throw new Error(`${init.stdout}${init.stderr}`)
    startRole('connector')
    await stack.ready(1, { data: onPremise })
  }, 120_000)
  afterEach(() => {
    for (const socket of clients) socket.destroy()
    clients.clear()
  })
  afterAll(async () => {
    await stack?.run(['stop'], { data: onPremise }).catch(() => {})
    await stack?.[Symbol.asyncDispose]()
    for (const socket of sunk) socket.destroy()
    sink?.close()
    blocker?.close()
    await postgres?.stop()
  })

  it('PostgreSQL beside the cloud side answers drivers and psql on the port of the connector', async () => {
    await opened(ports.database)
    const database = new URL(await postgres.createDatabase()).pathname.slice(1)
    const login = { host, port: ports.database, user: postgres.user, password: postgres.password }
    const pool = new Pool({ ...login, database, max: 4 })
    await pool.query('create table notes (id int primary key, text text)')
    await Promise.all(Array.from({ length: 20 }, (_, id) => pool.query('insert into notes values ($1, $2)', [id, 'ß'.repeat(id * 1000)])))
    expect((await pool.query('select count(*)::int, sum(length(text))::int from notes')).rows).toEqual([{ count: 20, sum: 190_000 }])
    await pool.end()
    const words = ['-h', host, '-p', String(ports.database), '-U', postgres.user, '-Atc', 'select 6 * 7', database]
    expect(await stack.program('psql', words, { environment: { PGPASSWORD: postgres.password } })).toMatchObject({
      code: 0,
      stdout: '42\n',
    })
    await expect
      .poll(() => postgres.run(`select count(*) from pg_stat_activity where datname = '${database}'`), patience)
      .toMatch(/^\s*0\s*$/m)
    await expect.poll(async () => (await channel(ports.database))?.openedConnections, patience).toBe(0)
    expect((await channel(ports.database))?.usage.clients).toBeGreaterThanOrEqual(2)
  })

  it.each(['sink', 'machine', 'abap'] as const)('%s: what a client sends arrives, and after its end comes the answer', async (name) => {
    const socket = await client(ports[name])
    const sent = randomBytes(8_000_000)
    socket.end(sent)
    expect((await buffer(socket)).toString('hex')).toBe(createHash('sha256').update(sent).digest('hex'))
    await expect.poll(async () => (await channel(ports[name]))?.usage.bytesToCloud, patience).toBe(sent.length)
  })

  it('a reset on either side reaches the other', async () => {
    const before = sunk.length
    const first = await client(ports.sink)
    first.write('x')
    await expect.poll(() => sunk.length, patience).toBe(before + 1)
    const gone = new Promise((resolve) => sunk[before]?.once('close', (hadError) => resolve(hadError)))
    first.resetAndDestroy()
    expect(await gone).toBe(true)
    const second = await client(ports.sink)
    second.write('x')
    await expect.poll(() => sunk.length, patience).toBe(before + 2)
    const ended = endOf(second)
    sunk[before + 1]?.resetAndDestroy()
    expect(await ended).toBe('ECONNRESET')
  })

  it('a service that reads slowly slows its client down, and another client is served meanwhile', async () => {
    const before = sunk.length
    const slow = await client(ports.sink)
    slow.write('x')
    await expect.poll(() => sunk.length, patience).toBe(before + 1)
    sunk[before]?.pause()
    const passed = async (): Promise<number> => (await channel(ports.sink))?.usage.bytesToCloud ?? 0
    const start = await passed()
    const sent = Buffer.alloc(1 << 27)
    slow.write(sent)
    let last = start
    // Until the way is full and nothing moves any more.
    await expect
      .poll(
        async () => {
          const [was, is] = [last, await passed()]
          last = is
          return is > start + (1 << 18) && is === was
        },
        { ...patience, interval: 500 },
      )
      .toBe(true)
    expect(last - start).toBeLessThan(sent.length / 2)
    const other = await client(ports.machine)
    other.end('quick')
    expect((await buffer(other)).toString('hex')).toBe(createHash('sha256').update('quick').digest('hex'))
    slow.end()
    sunk[before]?.resume()
    expect((await buffer(slow)).length).toBe(32)
  })

  it('a service without mapping of this subaccount, and another cluster, are refused and audited on the cloud side', async () => {
    expect(await outcome(ports.unmapped)).toBe('ECONNRESET')
    expect(await outcome(ports.elsewhere)).toBe('ECONNRESET')
    const problemOf = async (port: number): Promise<string> => (await channel(port))?.problem ?? ''
    await expect.poll(() => problemOf(ports.unmapped), patience).toContain('no service mapping offers TCP service "nobody-offers-this"')
    await expect.poll(() => problemOf(ports.elsewhere), patience).toContain('this is not the cluster "another.example.org:443"')
    const audited = (): string =>
      globSync('**/audit/**/*.csv', { cwd: stack.data })
        .map((file) => readFileSync(join(stack.data, file), 'utf8'))
        .join('')
    // The audit log is written a moment after the refusal.
    await expect.poll(audited, patience).toMatch(/access-denied;.*service channel of location "" refused: no service mapping offers/)
  })

  it('a service mapping that is added to the file lets clients in, and taking it out cuts them off', async () => {
    writeServer([{ type: 'TCP', subaccountId: 'demo', serviceId: 'nobody-offers-this' }])
    let joined: Socket | undefined
    const tryAgain = async (): Promise<string> => {
      const arrived = once(sink, 'connection').then(() => 'joined')
      joined = await client(ports.unmapped)
      return await Promise.race([arrived, endOf(joined)])
    }
    await expect.poll(tryAgain, patience).toBe('joined')
    const ended = endOf(joined as Socket)
    writeServer()
    expect(await ended).toBe('ECONNRESET')
    await expect.poll(async () => (await channel(ports.unmapped))?.openedConnections, patience).toBe(0)
    expect(await outcome(ports.unmapped)).toBe('ECONNRESET')
  })

  it('CC-112 a port that another process holds is reported and leaves the other channels alone', async () => {
    const listed = await stack.run(['channel', 'list'], { data: onPremise })
    expect(listed.code).toBe(3)
    expect(listed.stdout).toMatch(new RegExp(`${host}:${ports.taken} .*failed.*another channel or process listens there`))
    await opened(ports.sink)
    const status = await stack.run(['--json', 'connector', 'status'], { data: onPremise })
    const { connectors } = JSON.parse(status.stdout) as { readonly connectors: readonly { readonly channels: readonly Channel[] }[] }
    expect(connectors[0]?.channels.filter(({ state }) => state === 'open')).toHaveLength(6)
    blocker.close()
    await opened(ports.taken)
  })

  it('CC-107 a changed file is taken over by difference: unchanged channels keep clients and id, a new one gets a new id', async () => {
    const kept = await client(ports.database)
    const leaves = await client(ports.taken)
    leaves.write('x')
    const ended = endOf(leaves)
    const ids = new Map((await listChannels()).map(({ id, port }) => [port, id]))
    writeConnector({ without: ports.taken, comment: 'changed' })
    expect(await ended).toBe('ECONNRESET')
    expect(await outcome(ports.taken)).toBe('ECONNREFUSED')
    expect(kept.readyState).toBe('open')
    expect((await channel(ports.database))?.openedConnections).toBe(1)
    writeConnector()
    await opened(ports.taken)
    expect((await channel(ports.database))?.id).toBe(ids.get(ports.database))
    const [before = 0, after = 0] = [ids.get(ports.taken), (await channel(ports.taken))?.id]
    expect(after).toBeGreaterThan(before)
    expect(after).toBeGreaterThan(Math.max(...ids.values()))
  })

  it('CC-113 with the cloud side killed clients are cut off and the ports close; they open again with it', async () => {
    const socket = await client(ports.sink)
    socket.write('x')
    const ended = endOf(socket)
    await kill(cloudRoles)
    expect(await ended).toBe('ECONNRESET')
    await expect.poll(() => outcome(ports.sink), patience).toBe('ECONNREFUSED')
    await expect.poll(async () => (await channel(ports.sink))?.problem, patience).toMatch(/tunnel to .* is not connected/)
    startRole(cloudRoles)
    await opened(ports.sink)
    const again = await client(ports.sink)
    again.end('back')
    expect((await buffer(again)).length).toBe(32)
  })

  it('with the connector killed its clients and their services are cut off; a new one serves again', async () => {
    const before = sunk.length
    const socket = await client(ports.sink)
    socket.write('x')
    await expect.poll(() => sunk.length, patience).toBe(before + 1)
    const serviceGone = once(sunk[before] as Socket, 'close').catch(() => [true])
    const ended = endOf(socket)
    await kill('connector')
    expect(['ECONNRESET', 'end']).toContain(await ended)
    await serviceGone
    startRole('connector')
    await opened(ports.database)
    expect((await channel(ports.sink))?.usage).toMatchObject({ clients: 0, bytesToCloud: 0, bytesFromCloud: 0 })
    const driver = new Client({ host, port: ports.database, user: postgres.user, password: postgres.password, database: 'postgres' })
    await driver.connect()
    expect((await driver.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    await driver.end()
  })

  it('CC-114 none of this stands in the audit log of the connector, which records everything', async () => {
    const audit = globSync('**/audit/**/*.csv', { cwd: onPremise }).map((file) => readFileSync(join(onPremise, file), 'utf8'))
    expect(audit.join('')).toMatch(/tunnel-opened/)
    expect(audit.join('')).toMatch(/ServiceChannelConfiguration/)
    expect(audit.join('')).not.toMatch(/access-(?:allowed|denied)/)
  })
})
