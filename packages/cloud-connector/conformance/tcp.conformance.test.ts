import { once } from 'node:events'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { createTestCa } from '@sallyport/test-fixtures'
import { afterEach, describe, expect, it } from 'vitest'
import { type ConnectorBench, startConnectorBench, until } from './connector-bench.ts'

const root = createTestCa({ subject: '/O=Test/CN=Root' })
const serverIdentity = root.issue({ subject: '/CN=backend' })
const system = root.issue({ subject: '/CN=connector system', names: [] })
const files = { 'root.pem': root.certificate, 's.pem': system.certificate, 's.key': system.key }
const trust = {
  backendTrust: { authorities: [{ file: 'root.pem' }] },
  systemCertificate: { certificate: { file: 's.pem' }, key: { file: 's.key' } },
}

const servers: Server[] = []
let bench: ConnectorBench
afterEach(async () => {
  await bench[Symbol.asyncDispose]()
  for (const server of servers.splice(0)) server.close()
})

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  servers.push(server)
  return (server.address() as AddressInfo).port
}
const echo = (): Promise<number> => listen(createTcpServer({ allowHalfOpen: true }, (socket) => socket.on('error', () => {}).pipe(socket)))
const mapping = (internal: string, virtual = 'db.demo:5432'): Readonly<Record<string, unknown>> => ({ virtual, internal })

describe('TCP mappings', () => {
  it('CC-072 joins a caller to a backend without any resource, and keeps half-close', async () => {
    const port = await echo()
    bench = await startConnectorBench({ connector: { mappings: [mapping(`tcp://127.0.0.1:${port}`)] } })
    const { answer, stream } = await bench.tcp({ host: 'db.demo', port: 5432 })
    expect(answer).toEqual({ kind: 'connected' })
    const sent = Buffer.alloc(2_000_000, 'tcp')
    stream.end(sent)
    const chunks: Buffer[] = []
    for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk)
    expect(Buffer.concat(chunks).equals(sent)).toBe(true)
    await until(() => bench.openStreams === 0)
    expect(bench.connector.backends[0]?.mappings[0]?.active).toBe(0)
  })

  it('passes on what a caller says after the backend has ended its side', async () => {
    const heard: Buffer[] = []
    const done = Promise.withResolvers<void>()
    const backend = createTcpServer({ allowHalfOpen: true }, (socket) => {
      socket.end('bye')
      socket.on('data', (chunk: Buffer) => heard.push(chunk)).on('end', () => done.resolve())
    })
    const port = await listen(backend)
    bench = await startConnectorBench({ connector: { mappings: [mapping(`tcp://127.0.0.1:${port}`)] } })
    const { stream } = await bench.tcp({ host: 'db.demo', port: 5432 })
    const said: Buffer[] = []
    for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) said.push(chunk)
    expect(Buffer.concat(said).toString()).toBe('bye')
    stream.end('last words')
    await done.promise
    expect(Buffer.concat(heard).toString()).toBe('last words')
  })

  it('refuses an unknown virtual port, opens nothing, and audits it', async () => {
    let connections = 0
    const port = await listen(createTcpServer(() => connections++))
    bench = await startConnectorBench({ connector: { mappings: [mapping(`tcp://127.0.0.1:${port}`)] } })
    const { answer } = await bench.tcp({ host: 'db.demo', port: 5433 })
    expect(answer).toEqual({
      kind: 'refused',
      code: 'ACCESS_DENIED',
      message:
        'Access denied to system db.demo:5433. In case this was a valid request, ensure to expose the system correctly in your cloud connector.',
    })
    expect(connections).toBe(0)
    expect(bench.audit).toMatchObject([
      { type: 'access-denied', message: 'Access denied to system db.demo:5433: no mapping for this virtual host and port' },
    ])
  })

  it('CC-056 maps the ports of a range by their offset', async () => {
    const port = await echo()
    bench = await startConnectorBench({
      connector: { mappings: [mapping(`tcp://127.0.0.1:${port - 3}-${port + 7}`, 'db.demo:1000-1010')] },
    })
    expect((await bench.tcp({ host: 'db.demo', port: 1003 })).answer).toEqual({ kind: 'connected' })
    expect((await bench.tcp({ host: 'db.demo', port: 1011 })).answer).toMatchObject({ code: 'ACCESS_DENIED' })
  })

  it('says when nobody listens', async () => {
    const port = await echo()
    servers.pop()?.close()
    bench = await startConnectorBench({ connector: { mappings: [mapping(`tcp://127.0.0.1:${port}`)] } })
    expect((await bench.tcp({ host: 'db.demo', port: 5432 })).answer).toEqual({
      kind: 'refused',
      code: 'BACKEND_UNREACHABLE',
      message: 'Unable to open connection to backend system db.demo:5432: the connection was refused',
    })
  })

  it('CC-104 adds TLS for a tcps mapping and presents the system certificate', async () => {
    const peers: (string | undefined)[] = []
    const port = await listen(
      createTlsServer(
        { cert: serverIdentity.certificate, key: serverIdentity.key, ca: root.certificate, requestCert: true, allowHalfOpen: true },
        (socket: TLSSocket) => {
          const subject = socket.getPeerCertificate().subject as { CN?: string } | undefined
          peers.push(subject?.CN)
          socket.pipe(socket)
        },
      ),
    )
    bench = await startConnectorBench({ connector: { ...trust, mappings: [mapping(`tcps://localhost:${port}`)] }, files })
    const { answer, stream } = await bench.tcp({ host: 'db.demo', port: 5432 })
    expect(answer).toEqual({ kind: 'connected' })
    stream.end('plain in, plain out')
    let text = ''
    for await (const chunk of stream as AsyncIterable<Buffer>) text += chunk.toString()
    expect(text).toBe('plain in, plain out')
    expect(peers).toEqual(['connector system'])
  })

  it('CC-087 refuses a TLS backend that is not trusted', async () => {
    const port = await listen(createTlsServer({ cert: serverIdentity.certificate, key: serverIdentity.key }, (socket) => socket.destroy()))
    bench = await startConnectorBench({ connector: { mappings: [mapping(`tcps://localhost:${port}`)] } })
    expect((await bench.tcp({ host: 'db.demo', port: 5432 })).answer).toMatchObject({ kind: 'refused', code: 'BACKEND_UNTRUSTED' })
  })

  it('gives an attempt up when the caller goes away', async () => {
    // It takes the connection and never answers the TLS handshake.
    let accepted = false
    let closed = false
    const port = await listen(
      createTcpServer((socket) => {
        accepted = true
        socket
          .on('error', () => {})
          .on('close', () => (closed = true))
          .resume()
      }),
    )
    bench = await startConnectorBench({ connector: { mappings: [mapping(`tcps://localhost:${port}`)] } })
    const pending = bench.tcp({ host: 'db.demo', port: 5432 })
    await until(() => accepted)
    expect(bench.openStreams).toBe(1)
    await bench.connector.stop({ graceMs: 0 })
    expect(bench.openStreams).toBe(0)
    await until(() => closed)
    void pending
  })
})
