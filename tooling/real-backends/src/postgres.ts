import { execFile } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type ForegroundProgram, type ProcessOwner, startForeground } from './foreground.ts'
import { findProgram } from './programs.ts'
import { startOnFreePorts } from './start-on-free-ports.ts'

/** How the private cluster is set up. */
export interface PostgresOptions {
  /** Certificate chain and key of the server, PEM: it speaks TLS then, and still accepts connections without. */
  readonly tls?: { readonly certificate: string; readonly key: string }
  /** Settings of `postgresql.conf`. */
  readonly settings?: Readonly<Record<string, string>>
}

/** A running private PostgreSQL. */
export interface Postgres extends AsyncDisposable {
  readonly port: number
  /** Owner of every database, not a superuser; comes in with {@link password} over TCP. */
  readonly user: string
  readonly password: string
  /** Folder of the Unix socket; without a password there. */
  readonly socketFolder: string
  /** Makes an empty database and returns its URL, without the password. */
  createDatabase(): Promise<string>
  /** Runs SQL as the superuser, in `postgres` or the named database; returns what `psql` prints. */
  run(sql: string, database?: string): Promise<string>
  /** What the server that runs now has logged. */
  log(): string
  /** Kills the postmaster and then every process of it, and waits until all are gone. Nothing is flushed. */
  crash(): Promise<void>
  /** Ends it in order, closing every connection. */
  halt(): Promise<void>
  /** Starts it again on the same port with the same data. */
  start(): Promise<void>
  /** Ends it and removes its data. Idempotent. */
  stop(): Promise<void>
}

const superuser = 'postgres'
const user = 'sallyport'
const password = 'c0rrect horse'
const startTimeoutMs = 30_000

/**
 * Starts the system's PostgreSQL as one foreground process with a private cluster, on a loopback port and a Unix socket. The cluster sorts text as people
 * do, not byte by byte, as servers out there often do. PostgreSQL refuses to run as root; then it runs as the user that its package has made. The caller stops it.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<Postgres> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-postgres-'))
  const data = join(folder, 'data')
  const owner = unprivileged()
  const give = (path: string): void => (owner === undefined ? undefined : chownSync(path, owner.uid, owner.gid))
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true })
  try {
    mkdirSync(data, { mode: 0o700 })
    for (const path of [folder, data]) give(path)
    const setUp = ['--locale-provider=icu', '--icu-locale=en-US', '--locale=C.UTF-8', '--encoding=UTF8', '--no-sync']
    await execute('initdb', ['-D', data, '-U', superuser, '--auth-local=trust', '--auth-host=scram-sha-256', ...setUp], owner)
    for (const [name, content] of Object.entries({ 'server.crt': options.tls?.certificate, 'server.key': options.tls?.key })) {
      if (content === undefined) continue
      writeFileSync(join(data, name), content, { mode: 0o600 })
      give(join(data, name))
    }
    const started = await startOnFreePorts(['postgresql'], {
      start: ({ postgresql }) => startOnPort(options, data, folder, owner, postgresql),
    })
    let running = started.program
    const port = started.ports.postgresql
    const run = async (sql: string, database = 'postgres'): Promise<string> =>
      execute('psql', ['-h', folder, '-p', String(port), '-U', superuser, '-d', database, '-v', 'ON_ERROR_STOP=1', '-Atqc', sql], owner)
    await run(`create role ${user} login password '${password}'`)
    let databases = 0
    const postgres: Postgres = {
      port,
      user,
      password,
      socketFolder: folder,
      async createDatabase() {
        databases += 1
        await run(`create database test_${databases} owner ${user}`)
        return `postgresql://${user}@127.0.0.1:${port}/test_${databases}`
      },
      run,
      log: () => running.stderr(),
      async crash() {
        const processes = childrenOf(running.pid)
        await running.stop('SIGKILL')
        // They would end by themselves, but some of them only after another answer.
        for (const pid of processes) killIfThere(pid)
        for (const deadline = performance.now() + startTimeoutMs; processes.some(lives) && performance.now() < deadline;) await pause(10)
      },
      halt: () => running.stop('SIGINT'),
      async start() {
        running = await startAgain(() => startOnPort(options, data, folder, owner, port))
      },
      // Not SIGKILL: nobody would give back the shared memory.
      stop: () => running.stop('SIGQUIT').finally(removeFolder),
      [Symbol.asyncDispose]: () => postgres.stop(),
    }
    return postgres
  } catch (error) {
    removeFolder()
    throw error
  }
}

/** Field 4 of `/proc/<pid>/stat` is the parent, field 3 the state; the name before them may hold anything. */
function statOf(pid: number): { readonly state: string; readonly parent: number } | undefined {
  try {
    const [state = '', parent] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return { state, parent: Number(parent) }
  } catch {
    // It has just ended.
    return undefined
  }
}

function childrenOf(parent: number): readonly number[] {
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
  return processes.filter((pid) => statOf(pid)?.parent === parent)
}

function lives(pid: number): boolean {
  const { state = 'Z' } = statOf(pid) ?? {}
  return state !== 'Z'
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has noticed by itself.
  }
}

/** Processes of a killed postmaster need a moment to notice; until the last has gone no other may start. */
async function startAgain(start: () => Promise<ForegroundProgram>): Promise<ForegroundProgram> {
  const deadline = performance.now() + startTimeoutMs
  for (;;) {
    try {
      return await start()
    } catch (error) {
      if (performance.now() > deadline || !/pre-existing shared memory block|lock file/.test(String(error))) throw error
    }
  }
}

function startOnPort(
  options: PostgresOptions,
  data: string,
  sockets: string,
  owner: ProcessOwner | undefined,
  port: number,
): Promise<ForegroundProgram> {
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: sockets,
    max_connections: '60',
    shared_buffers: '16MB',
    ssl: options.tls === undefined ? 'off' : 'on',
    ...options.settings,
  }
  return startForeground({
    program: 'postgres',
    args: ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    ready: /database system is ready to accept connections/,
    timeoutMs: startTimeoutMs,
    stopSignal: 'SIGQUIT',
    ...(owner === undefined ? {} : { owner }),
  })
}

/** Whom to become: nobody else, unless this process is root. */
function unprivileged(): ProcessOwner | undefined {
  if (process.getuid?.() !== 0) return undefined
  const entries = existsSync('/etc/passwd') ? readFileSync('/etc/passwd', 'utf8').split('\n') : []
  const [, , uid, gid] = (entries.find((line) => line.startsWith('postgres:')) ?? '').split(':')
  if (uid === undefined || gid === undefined) throw new Error('PostgreSQL does not run as root, and there is no user "postgres"')
  return { uid: Number(uid), gid: Number(gid) }
}

async function execute(name: string, args: readonly string[], owner: ProcessOwner | undefined): Promise<string> {
  const program = findProgram(name)
  if (program === undefined) throw new Error(`${name} is not installed`)
  const { stdout } = await promisify(execFile)(program, [...args], { cwd: '/', timeout: startTimeoutMs, ...owner })
  return stdout.trim()
}
