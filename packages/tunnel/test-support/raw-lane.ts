import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'
import { formatHello, type LaneHello } from '../src/transports/tls-hello.ts'
import type { TlsMaterial } from '../src/transports/tls-material.ts'

/** A TLS connection to a tunnel port, made by hand. `closed` settles with every byte the server sent. */
export interface RawLane {
  readonly socket: TLSSocket
  readonly received: () => Buffer
  readonly closed: Promise<Buffer>
}

export async function openRawLane(endpoint: URL, material: Partial<TlsMaterial>): Promise<RawLane> {
  const socket = connect({
    host: endpoint.hostname,
    port: Number(endpoint.port),
    ...(material.certificate === undefined ? {} : { cert: material.certificate, key: String(material.key) }),
    ...(material.ca === undefined ? {} : { ca: [material.ca].flat() }),
  })
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  // What the server does to the connection is what the tests look at; an error is one way of closing it.
  socket.on('error', () => socket.destroy())
  const closed = new Promise<Buffer>((resolve) => {
    socket.once('close', () => resolve(Buffer.concat(chunks)))
  })
  await once(socket, 'secureConnect')
  return { socket, closed, received: () => Buffer.concat(chunks) }
}

export function hello(options: Partial<LaneHello> = {}): Buffer {
  return formatHello({ connectionId: randomBytes(16), lane: 0, lanes: 1, versions: [1], ...options })
}
