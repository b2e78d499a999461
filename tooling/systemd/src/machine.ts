import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeControlGroup } from './cgroup.ts'
import { until } from './until.ts'

/** What a command left. */
export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A machine whose first process is systemd, with everything of its own but the kernel. */
export interface Machine extends AsyncDisposable {
  /** Runs a program on it as root, to its end. */
  run(words: readonly string[], options?: RunOptions): Promise<Outcome>
  /** As {@link Machine.run}, and what it printed. @throws Error with what it said, for any status but 0. */
  must(words: readonly string[], options?: RunOptions): Promise<string>
}

interface RunOptions {
  readonly input?: string
}

/** Where the checkout lies on the machine, as the documentation says. */
export const checkoutThere = '/opt/sallyport'

const checkout = join(import.meta.dirname, '..', '..', '..')
const bootPatienceMs = 60_000
const commandTimeoutMs = 60_000

/** Boots a machine from a folder with an unpacked system, which is not changed; `/` is one, too. */
export async function bootMachine(root: string): Promise<Machine> {
  const group = makeControlGroup()
  const scratch = mkdtempSync(join(tmpdir(), 'sallyport-systemd-'))
  const enter = 'echo $$ > "$1/cgroup.procs" && shift && exec "$@"'
  const spaces = ['--net', '--mount', '--pid', '--uts', '--ipc', '--cgroup', '--propagation', 'private', '--fork', '--kill-child']
  const boot = ['sh', join(import.meta.dirname, 'boot.sh'), root, checkout, scratch]
  // Ends with this process, whatever ends that.
  const command = ['--pdeathsig', 'KILL', 'sh', '-c', enter, 'sh', group.path, 'unshare', ...spaces, ...boot]
  const child = spawn('setpriv', command, { stdio: ['ignore', 'inherit', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  const ended = once(child, 'exit')
  const run = async (words: readonly string[], { input = '' }: RunOptions = {}): Promise<Outcome> => {
    if (child.exitCode !== null) throw new Error(`the machine is down: ${said}`)
    const first = firstProcess(child.pid ?? 0)
    const inside = ['-t', first, '-m', '-p', '-n', '-u', '-i', '-C', '-r', '-w', 'env', '-i', ...environment, ...words]
    return await new Promise((resolve) => {
      const process = execFile('nsenter', inside, { timeout: commandTimeoutMs, maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 255, stdout, stderr })
      })
      // A program need not read it, and may have ended by then.
      process.stdin?.on('error', () => {}).end(input)
    })
  }
  const machine: Machine = {
    run,
    async must(words, options) {
      const { code, stderr, stdout } = await run(words, options)
      if (code !== 0) throw new Error(`${words.join(' ').slice(0, 300)} ended with ${code}: ${stderr}${stdout}`)
      return stdout
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
      // The kernel takes the other processes out of the group when they have ended.
      await until('the machine ends', async () => (group[Symbol.dispose](), true), bootPatienceMs)
      rmdirSync(scratch)
    },
  }
  try {
    const isUp = async (): Promise<boolean> =>
      ['running', 'degraded'].includes((await run(['systemctl', 'is-system-running'])).stdout.trim())
    await until('systemd starts', isUp, bootPatienceMs)
  } catch (error) {
    await machine[Symbol.asyncDispose]()
    throw new Error(`systemd did not start: ${said}`, { cause: error })
  }
  return machine
}

/** The only child of `unshare`, as this machine numbers it. @throws Error before there is one. */
function firstProcess(unshare: number): string {
  const [child] = readFileSync(`/proc/${unshare}/task/${unshare}/children`, 'utf8').split(' ')
  if (child === undefined || child === '') throw new Error('nothing has started yet')
  return child
}

const environment = [
  'HOME=/root',
  'LANG=C.UTF-8',
  'TERM=dumb',
  'SYSTEMD_PAGER=cat',
  'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
]
