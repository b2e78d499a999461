import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { NiConnection } from './ni-connection.ts'

/** A point at which the fixture is about to answer. */
export interface GatewayMoment {
  readonly step: 'connect' | 'initialize' | 'allocate' | 'acknowledge' | 'logon' | 'call'
  /** Counts from 1. */
  readonly connection: number
  /** What is called; `''` at other steps. */
  readonly functionName: string
  /** The messages it would send, each to be framed. */
  readonly payloads: readonly Buffer[]
}

/**
 * What is sent instead: bytes, framed by the script itself, and what happens behind them. After `'silence'` the fixture neither answers nor closes; after `'go on'` it
 * goes on as if it had answered.
 */
export interface ScriptedAnswer {
  readonly bytes: Iterable<Buffer>
  readonly end: 'close' | 'reset' | 'silence' | 'go on'
}

/** `undefined` to answer as always. */
export type GatewayScript = (moment: GatewayMoment) => ScriptedAnswer | undefined

/** Plays a scripted answer; whether the conversation goes on. */
export async function playScript({ bytes, end }: ScriptedAnswer, ni: NiConnection, socket: Duplex): Promise<boolean> {
  for (const piece of bytes) {
    // oxlint-disable-next-line no-await-in-loop -- in their order
    await ni.sendBytes(piece)
    if (socket.destroyed) return false
  }
  if (end === 'reset') {
    if (socket instanceof Socket) socket.resetAndDestroy()
    else socket.destroy()
  }
  // What the client says is read, so that its end is noticed.
  // oxlint-disable-next-line no-await-in-loop -- one message after the other
  if (end === 'silence') while ((await ni.take()) !== undefined);
  return end === 'go on'
}
