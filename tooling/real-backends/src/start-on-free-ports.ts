import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { ForegroundProgram } from './foreground.ts'
import { freePorts } from './free-port.ts'

/** Chances that another process takes a port between choosing and binding it. */
const portAttempts = 5
const isTaken = /address already in use/i
const listenTimeoutMs = 10_000
const lookEveryMs = 5

/** Ports by what they are for. */
export type Ports<Name extends string> = Readonly<Record<Name, number>>

/**
 * Starts a program that is told its ports, and again on others when it says that one is taken.
 *
 * @throws Error of `start`, or with what the program wrote when nobody listens in the end; nothing is left running then.
 */
export async function startOnFreePorts<Name extends string>(
  names: readonly Name[],
  options: {
    readonly start: (ports: Ports<Name>) => Promise<ForegroundProgram>
    /** Of a program that says it is ready before it listens: where to knock until somebody does. */
    readonly listensLate?: readonly Name[]
  },
): Promise<{ readonly program: ForegroundProgram; readonly ports: Ports<Name> }> {
  for (let attempt = 1; ; attempt += 1) {
    const free = await freePorts(names.length)
    const ports = Object.fromEntries(names.map((name, at) => [name, free[at]])) as Ports<Name>
    try {
      const program = await options.start(ports)
      for (const name of options.listensLate ?? []) await untilListening(program, ports[name])
      return { program, ports }
    } catch (error) {
      if (attempt >= portAttempts || !isTaken.test(String(error))) throw error
    }
  }
}

async function untilListening(program: ForegroundProgram, port: number): Promise<void> {
  const deadline = performance.now() + listenTimeoutMs
  while (!(await listens(port))) {
    const said = program.stderr().slice(-2000)
    if (program.running && !isTaken.test(said) && performance.now() < deadline) await pause(lookEveryMs)
    else {
      await program.stop()
      throw new Error(`nobody listens on port ${port}: ${said}`)
    }
  }
}

async function listens(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    // Refused: not yet, or never.
    return false
  } finally {
    socket.destroy()
  }
}
