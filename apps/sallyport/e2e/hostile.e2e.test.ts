import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { basePorts, type PortName } from '../src/stack/ports.ts'
import { createInstallation, type Installation } from './installation.ts'

let stack: Installation
let pid: number
beforeAll(async () => {
  stack = await createInstallation()
  const started = await stack.json<{ pid: number }>(['dev', '--detach', '--wait', '40s', '--port-offset', String(stack.portOffset)])
  pid = started.pid
}, 60_000)
afterAll(async () => stack[Symbol.asyncDispose]())

const everyListener = Object.keys(basePorts) as PortName[]
/** Two waves of five rounds of a thousand: ten thousand for each listener. */
const halfOpenRounds = 5
const halfOpenPerRound = 1_000
/** What the second wave may add to what the first one made the process hold: nothing but noise of the allocator. */
const maxGrowthBytes = 64 * 1024 * 1024

const statusOfOthers = async (): Promise<number> =>
  (await stack.json<{ status: number }>(['curl', 'S4_DEMO', '/sap/bc/ping', '--user', 'jane@acme.test'])).status

/** Resident set of the process, from the kernel. */
const residentBytes = (): number => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024

/** Opens a thousand connections that begin to speak and never go on. */
async function openHalf(name: PortName): Promise<readonly Socket[]> {
  const sockets: Socket[] = []
  await Promise.all(
    Array.from(
      { length: halfOpenPerRound },
      () =>
        new Promise<void>((resolve) => {
          const socket = createConnection(stack.port(name), '127.0.0.1')
          sockets.push(socket)
          socket.once('connect', () => {
            socket.write(name === 'proxyHttp' ? 'GET http://plain.demo' : Buffer.from([5]))
            resolve()
          })
          socket.on('error', () => resolve())
        }),
    ),
  )
  return sockets
}

/** Sends bytes and waits until the other side has closed the connection, or `patienceMs` is over. */
async function poke(port: number, bytes: Buffer | string, patienceMs: number): Promise<'closed' | 'open'> {
  const socket = createConnection(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.resume()
  socket.write(bytes)
  return await new Promise((resolve) => {
    const timer = setTimeout(() => {
      socket.destroy()
      resolve('open')
    }, patienceMs)
    socket.once('close', () => {
      clearTimeout(timer)
      resolve('closed')
    })
  })
}

const garbage: readonly (readonly [string, Buffer | string])[] = [
  ['random bytes', randomBytes(65_536)],
  ['zeros', Buffer.alloc(65_536)],
  ['a request line without end', `GET http://${'a'.repeat(100_000)}`],
  ['a header without end', `GET http://a:80/ HTTP/1.1\r\nHost: a:80\r\nX: ${'b'.repeat(200_000)}`],
  ['headers without end', `GET http://a:80/ HTTP/1.1\r\nHost: a:80\r\n${'X: y\r\n'.repeat(20_000)}`],
  ['two lengths', 'POST http://plain.demo:80/ HTTP/1.1\r\nHost: plain.demo:80\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!'],
  [
    'length and chunks',
    'POST http://plain.demo:80/ HTTP/1.1\r\nHost: plain.demo:80\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  ['a SOCKS4 request', Buffer.from([4, 1, 0, 80, 127, 0, 0, 1, 0])],
  ['a token of four gigabytes', Buffer.from([5, 1, 0x80, 1, 0xff, 0xff, 0xff, 0xff, 0x41])],
  ['half a TLS record', Buffer.from([0x16, 3, 1, 0x40, 0, 1, 0, 0x3f, 0xfc])],
]

describe('hostile input on every listener leaves the process serving others', () => {
  it.each(garbage)('%s', async (_, bytes) => {
    await Promise.all(everyListener.map((name) => poke(stack.port(name), bytes, 500)))
    expect(await statusOfOthers()).toBe(200)
  })

  it('refuses what it cannot frame, instead of waiting for more of it', async () => {
    const zeros = Buffer.alloc(65_536)
    for (const name of ['proxyHttp', 'proxySocks5'] as const) expect(await poke(stack.port(name), zeros, 3_000), name).toBe('closed')
  })

  it.skipIf(process.platform !== 'linux')(
    'ten thousand half-open connections: others are served meanwhile, and memory stays bounded',
    async () => {
      const wave = async (): Promise<readonly number[]> => {
        const statuses: number[] = []
        for (const name of everyListener) {
          for (let round = 0; round < halfOpenRounds; round++) {
            const sockets = await openHalf(name)
            if (round === halfOpenRounds - 1) statuses.push(await statusOfOthers())
            for (const socket of sockets) socket.destroy()
          }
        }
        return statuses
      }
      const everyOk = everyListener.map(() => 200)
      expect(await wave()).toEqual(everyOk)
      const afterFirst = residentBytes()
      expect(await wave()).toEqual(everyOk)
      expect(residentBytes() - afterFirst).toBeLessThan(maxGrowthBytes)
      expect(await statusOfOthers()).toBe(200)
    },
    180_000,
  )
})
