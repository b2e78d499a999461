import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { freePorts } from '../src/free-port.ts'
import { skipUnless, startForeground, startSlapd } from '../src/index.ts'
import { startOnFreePorts } from '../src/start-on-free-ports.ts'

const answers = async (port: number): Promise<boolean> => {
  const socket = connect({ port, host: '127.0.0.1' })
  await once(socket, 'connect')
  socket.destroy()
  return true
}
/** A server that says it is ready, and listens after that. */
const startLate = (port: number): ReturnType<typeof startForeground> =>
  startForeground({
    program: 'node',
    args: ['-e', `process.stderr.write('started'); setTimeout(() => require('node:net').createServer().listen(${port}, '127.0.0.1'), 100)`],
    ready: /started/,
    timeoutMs: 5000,
  })

describe('programs on ports that were free', () => {
  it('get different ones', async () => {
    expect(new Set(await freePorts(50)).size).toBe(50)
  })

  it('listen when they are handed out, also those that say so too early', async () => {
    const { program, ports } = await startOnFreePorts(['tcp'], { start: ({ tcp }) => startLate(tcp), listensLate: ['tcp'] })
    expect(await answers(ports.tcp)).toBe(true)
    await program.stop()
  })

  it('are started on another where somebody has taken one meanwhile', async () => {
    const squatter = createServer()
    const tried: number[] = []
    const { program, ports } = await startOnFreePorts(['tcp'], {
      async start({ tcp }) {
        tried.push(tcp)
        if (tried.length === 1) await once(squatter.listen(tcp, '127.0.0.1'), 'listening')
        return startForeground({
          program: 'node',
          args: ['-e', `require('node:net').createServer().listen(${tcp}, '127.0.0.1', () => process.stderr.write('started'))`],
          ready: /started/,
          timeoutMs: 5000,
        })
      },
    })
    expect([tried.length, ports.tcp]).toEqual([2, tried[1]])
    expect(await answers(ports.tcp)).toBe(true)
    await program.stop()
    squatter.close()
  })

  it('are given up when they end instead, with what they said', async () => {
    const start = (): ReturnType<typeof startForeground> =>
      startForeground({ program: 'sh', args: ['-c', 'echo started >&2; echo because >&2; exit 3'], ready: /started/, timeoutMs: 5000 })
    await expect(startOnFreePorts(['tcp'], { start, listensLate: ['tcp'] })).rejects.toThrow(/nobody listens on port \d+: started\nbecause/)
  })
})

describe.skipIf(skipUnless('slapd', 'slapadd'))('slapd', () => {
  it('takes connections as soon as it is handed out', async () => {
    for (let round = 0; round < 3; round++) {
      await using slapd = await startSlapd()
      expect(await answers(slapd.port)).toBe(true)
    }
  })
})
