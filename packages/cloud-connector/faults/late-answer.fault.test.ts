import { once } from 'node:events'
import { connect } from 'node:net'
import { Worker } from 'node:worker_threads'
import { systemClock } from '@sallyport/core'
import { afterEach, expect, it } from 'vitest'
import type { SystemMapping } from '../src/access-control/system-mapping.ts'
import { createBackendMonitor } from '../src/monitoring/backend-monitor.ts'
import { BackendSession } from '../src/http/backend-session.ts'

/** A backend on a thread of its own: answers at once, reads nothing, and closes with unread bytes, which the kernel turns into a reset. */
const backend = `
const { parentPort } = require('node:worker_threads')
const server = require('node:net').createServer((socket) => {
  socket.on('error', () => {})
  socket.pause()
  setTimeout(() => socket.write('HTTP/1.1 413 Payload Too Large\\r\\nContent-Length: 8\\r\\n\\r\\ntoo much', () => socket.destroy()), 20)
})
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))
`

let worker: Worker | undefined
afterEach(async () => {
  await worker?.terminate()
})

it('reads the answer of a backend that has reset the connection, although writing to it fails first', async () => {
  worker = new Worker(backend, { eval: true })
  const [port] = (await once(worker, 'message')) as [number]
  for (let round = 0; round < 10; round++) {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    const { promise, resolve } = Promise.withResolvers<string>()
    let text = ''
    const session = new BackendSession({
      socket,
      target: { host: '127.0.0.1', port, tls: undefined, protocol: 'http/1.1', system: 's4.demo:443' },
      clock: systemClock,
      monitor: createBackendMonitor(0).of({} as SystemMapping),
      handlers: {
        onInterim: () => {},
        onUpgraded: () => {},
        onFinal: () => undefined,
        onBytes: (chunk) => void (text += chunk.toString('latin1')),
        onComplete: () => resolve(text),
        onBroken: (reason) => resolve(reason),
        onDrain: () => {},
        onEnd: () => {},
      },
    })
    session.send(Buffer.from('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nunread'), {
      method: 'POST',
      upgradeAsked: false,
      more: true,
    })
    await new Promise((done) => process.nextTick(done))
    // Until the answer and the reset have arrived, nothing is read here: as when the event loop was busy with others.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60)
    session.write(Buffer.alloc(1000))
    await new Promise((done) => process.nextTick(done))
    session.write(Buffer.alloc(1000))
    expect(await promise, `round ${round}`).toMatch(/^HTTP\/1\.1 413 [\s\S]*too much$/)
    session.close()
  }
})
