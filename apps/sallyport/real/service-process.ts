import { type ChildProcess, spawn } from 'node:child_process'
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { findProgram } from '@sallyport/real-backends'

/** Receives what a service tells the service manager, as systemd does: datagrams, each on a line, with the barriers of `systemd-notify` let go. */
const receiver = `
import os, socket, sys
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
    s.bind(sys.argv[1])
    print("listening", flush=True)
    while True:
        data, descriptors, _, _ = socket.recv_fds(s, 4096, 8)
        for d in descriptors:
            os.close(d)
        print(data.decode().replace("\\n", " "), flush=True)
`

/** What systemd is asked to do by a unit, done without it: its command in its environment, and its messages. */
export interface ServiceManagerStandIn extends Disposable {
  /** Starts the command of a unit. `folder` is in the place of `/var/lib`. */
  start(unit: string, options: { readonly folder: string; readonly watchdogUsec: number }): ChildProcess
  /** Settles when the service has said this. */
  heard(message: string): Promise<void>
}

/** Listens on a socket in `folder`. */
export async function standInForSystemd(folder: string): Promise<ServiceManagerStandIn> {
  const socket = join(folder, 'notify')
  const listener = spawn('python3', ['-c', receiver, socket], { stdio: ['ignore', 'pipe', 'inherit'] })
  const said: string[] = []
  let waiting: readonly (() => void)[] = []
  createInterface({ input: listener.stdout }).on('line', (line) => {
    said.push(line)
    for (const look of waiting) look()
  })
  const heard = (message: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        const at = said.indexOf(message)
        if (at < 0) return
        said.splice(0, at + 1)
        waiting = waiting.filter((each) => each !== look)
        resolve()
      }
      waiting = [...waiting, look]
      look()
    })
  await heard('listening')
  return {
    heard,
    start(unit, options) {
      const credentials = join(folder, 'credentials')
      mkdirSync(credentials, { recursive: true })
      for (const setting of settingsOf(unit, 'LoadCredential')) {
        const [name = '', path = ''] = setting.split(':')
        copyFileSync(path, join(credentials, name))
      }
      const [command = '', ...words] = (settingsOf(unit, 'ExecStart')[0] ?? '')
        .split(' ')
        .map((word) => word.replace('%S', options.folder).replace('%d', credentials))
      return spawn(command, words, {
        cwd: (settingsOf(unit, 'WorkingDirectory')[0] ?? '').replace('%S', options.folder),
        env: {
          // Where this machine has systemd-notify, and what systemd sets.
          PATH: `${(findProgram('systemd-notify') ?? '').replace(/\/[^/]*$/, '')}:/usr/bin:/bin`,
          LANG: 'C.UTF-8',
          NOTIFY_SOCKET: socket,
          WATCHDOG_USEC: String(options.watchdogUsec),
          STATE_DIRECTORY: join(options.folder, settingsOf(unit, 'StateDirectory')[0] ?? ''),
          CREDENTIALS_DIRECTORY: credentials,
        },
        stdio: ['ignore', 'ignore', 'inherit'],
      })
    },
    [Symbol.dispose]: () => void listener.kill(),
  }
}

/** Every value of a setting of a unit. */
export function settingsOf(unit: string, name: string): readonly string[] {
  return unit.split('\n').flatMap((line) => (line.startsWith(`${name}=`) ? [line.slice(name.length + 1)] : []))
}
