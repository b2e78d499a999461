import { type ChildProcess, type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Readable } from 'node:stream'
import { processTree } from './process-tree.ts'

/** Which end of the tunnel a process belongs to. Each end has one core: cloud and load CPU 0, connector and back ends CPU 1. */
export type Side = 'cloud' | 'connector'

/** A program to run. */
export interface Command {
  readonly side: Side
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** One line of JSON that a program wrote to standard output. */
export type Answer = Readonly<Record<string, unknown>>

/** A program that keeps running. */
export interface Running {
  readonly pid: number
  /** Settles with the first line of JSON that has the member. @throws Error when the program ends first or takes too long. */
  answer(member: string): Promise<Answer>
  /** Sends a signal and settles with the next line of JSON that has the member. */
  ask(signal: NodeJS.Signals, member: string): Promise<Answer>
  /** Standard error so far, for messages. */
  complaints(): string
  stop(): Promise<void>
}

const answerTimeoutMs = 20_000
const alive = new Set<ChildProcess>()
let isPinned = true

/** Without pinning every process runs where the system likes; figures of different runs then have little to do with each other. */
export function setPinning(pinned: boolean): void {
  isPinned = pinned
}

/** Starts a program on the core of its side. The caller stops it; {@link stopAll} is the net below. */
export function start(command: Command): Running {
  const child = launch(command)
  let output = ''
  let complaints = ''
  const waiting = new Set<() => void>()
  const wake = (): void => waiting.forEach((look) => look())
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    wake()
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text))
  child.once('error', (error) => (complaints += String(error)))
  child.once('close', wake)

  const find = (member: string, from: number): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const settle = (finish: () => void): void => {
        waiting.delete(look)
        clearTimeout(timer)
        finish()
      }
      const fail = (what: string): void =>
        settle(() => reject(new Error(`${command.command} ${what}: ${complaints.slice(-500) || output.slice(-500)}`)))
      const look = (): void => {
        const found = answerWith(member, output.slice(from))
        if (found !== undefined) settle(() => resolve(found))
        else if (hasEnded(child)) fail('ended')
      }
      const timer = setTimeout(() => fail(`said no "${member}" within ${answerTimeoutMs} ms`), answerTimeoutMs)
      waiting.add(look)
      look()
    })

  return {
    pid: child.pid ?? 0,
    answer: (member) => find(member, 0),
    ask(signal, member) {
      const from = output.length
      child.kill(signal)
      return find(member, from)
    },
    complaints: () => complaints,
    stop: () => stop(child),
  }
}

/** Runs a program to its end and returns its standard output. @throws Error with its standard error when it fails or takes too long. */
export async function run(command: Command, timeoutMs: number): Promise<string> {
  const child = launch(command)
  let output = ''
  let complaints = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text))
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
  const [code] = (await once(child, 'close')) as [number | null]
  clearTimeout(timer)
  if (code !== 0) throw new Error(`${command.command} ${command.args.join(' ')} ended with ${code}: ${(complaints + output).slice(-500)}`)
  return output
}

/** As {@link run}, for programs that answer with one line of JSON. */
export async function runForAnswer(command: Command, member: string, timeoutMs: number): Promise<Answer> {
  const output = await run(command, timeoutMs)
  const answer = answerWith(member, output)
  if (answer === undefined) throw new Error(`${command.command} ${command.args.join(' ')} said no "${member}": ${output.slice(-500)}`)
  return answer
}

/** Settles when something accepts connections on the port. */
export async function accepting(port: number, running: Running): Promise<void> {
  for (const deadline = Date.now() + answerTimeoutMs; Date.now() < deadline; await pause(20)) {
    if (await accepts(port)) return
  }
  throw new Error(`nobody listens on port ${port}: ${running.complaints().slice(-500)}`)
}

/** Lets things settle before or between measurements. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Ends everything that is still running, at once. */
export function stopAll(): void {
  for (const child of alive) kill(child)
}

/** The first line that a program says about its version; empty if it says nothing. */
export function versionOf(command: string, args: readonly string[]): string {
  try {
    return execFileSync(command, args, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' }).split('\n')[0] ?? ''
  } catch {
    return ''
  }
}

function launch({ side, command, args, env }: Command): ChildProcessByStdio<null, Readable, Readable> {
  const [program, words] = isPinned ? ['taskset', ['-c', side === 'cloud' ? '0' : '1', command, ...args]] : [command, args]
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  alive.add(child)
  child.once('close', () => alive.delete(child))
  return child
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null
}

async function stop(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return
  const ended = once(child, 'exit')
  kill(child)
  await ended
}

/** With its descendants: some servers fork for every connection. */
function kill(child: ChildProcess): void {
  for (const pid of child.pid === undefined ? [] : processTree(child.pid)) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // Ended by itself in the meantime.
    }
  }
}

function answerWith(member: string, output: string): Answer | undefined {
  for (const line of output.split('\n')) {
    if (!line.startsWith('{') || !line.endsWith('}')) continue
    const value = JSON.parse(line) as Answer
    if (member in value) return value
  }
  return undefined
}
