import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { nextTurn, until } from '../../test-support/turn.ts'
import type { ByteLinkHandlers } from '../multiplexer/byte-link.ts'
import { createSocketLink } from './socket-link.ts'

/** A link whose owner has enough of a turn after so many chunks; `heard` has one entry per turn. */
function listen(chunksPerTurn: number): { readonly socket: PassThrough; readonly heard: string[] } {
  const socket = new PassThrough()
  const heard: string[] = []
  let turn: string | undefined
  const say = (text: string): void => {
    if (turn === undefined) {
      turn = ''
      setImmediate(() => {
        heard.push(turn ?? '')
        turn = undefined
      })
    }
    turn += text
  }
  const handlers: ByteLinkHandlers = {
    onData(chunk) {
      say(chunk.toString())
      return (turn?.length ?? 0) < chunksPerTurn
    },
    onDrain() {},
    onEnd: () => say('|'),
    onClose() {},
  }
  createSocketLink(socket).start(handlers)
  return { socket, heard }
}

describe('a socket as a lane', () => {
  it('hands on everything that came in a turn as long as its owner wants more', async () => {
    const { heard, socket } = listen(10)
    await nextTurn()
    for (const text of 'abcdef') socket.write(text)
    await until(() => heard.length > 0)
    expect(heard).toEqual(['abcdef'])
  })

  it('keeps what its owner has no time for until the next turn, and the end behind it', async () => {
    const { heard, socket } = listen(2)
    await nextTurn()
    for (const text of 'abcde') socket.write(text)
    socket.end()
    await until(() => heard.join('').endsWith('|'))
    expect(heard.join('')).toBe('abcde|')
    expect(heard.every((turn) => turn.replace('|', '').length <= 2)).toBe(true)
  })
})
