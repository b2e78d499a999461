import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createTestCa } from '@sallyport/test-fixtures'
import { afterEach, describe, expect, it } from 'vitest'
import { type ConnectorBench, startConnectorBench, until } from './connector-bench.ts'

const ca = createTestCa()
const identity = ca.issue({ subject: '/CN=localhost' })

let server: Server
let bench: ConnectorBench
/** Requests to upgrade that have reached the backend: `path subprotocol host`. */
let upgrades: string[]
afterEach(async () => {
  await bench[Symbol.asyncDispose]()
  server.closeAllConnections()
  server.close()
})

async function start(fields: Readonly<Record<string, unknown>>): Promise<void> {
  upgrades = []
  server = createServer({ cert: identity.certificate, key: identity.key }, (_request, response) => response.end('plain'))
  server.on('upgrade', ({ headers, url }, socket) => {
    upgrades.push(`${url} ${headers['sec-websocket-protocol']} ${headers.host}`)
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
    socket.pipe(socket)
  })
  server.listen(0)
  await once(server, 'listening')
  const mapping = {
    virtual: 'erp.demo:443',
    internal: `rfcws://localhost:${(server.address() as AddressInfo).port}`,
    backendType: 'abapSys',
  }
  bench = await startConnectorBench({
    connector: { backendTrust: { authorities: [{ file: 'ca.pem' }] }, mappings: [{ ...mapping, ...fields }] },
    files: { 'ca.pem': ca.certificate },
  })
}

/** Everything that comes back for an upgrade, and for what is said behind it. */
async function upgrade(path: string, isDone: (text: string) => boolean): Promise<string> {
  const stream = bench.connect({ host: 'erp.demo', port: 443 })
  let text = ''
  stream.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  const head = ['Host: erp.demo:443', 'Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==']
  stream.write(
    `GET ${path} HTTP/1.1\r\n${head.join('\r\n')}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: rfc.sap.com\r\n\r\nframes`,
  )
  await until(() => isDone(text))
  stream.destroy()
  return text
}

const path = '/sap/bc/rfc?sap-apc-stateful=true'
const isWhole = (text: string): boolean => text.includes('frames') || /^HTTP\/1\.1 403[^]*\n$/.test(text)

describe('mappings of protocol RFCWS', () => {
  it('lead WebSocket RFC over TLS to the system, where they let it pass unread', async () => {
    await start({ passUnread: true })
    expect(await upgrade(path, isWhole)).toMatch(/^HTTP\/1\.1 101 [^]*frames$/)
    expect(upgrades).toEqual([`${path} rfc.sap.com erp.demo:443`])
  })

  it('refuse it otherwise, because no function in it could be decided', async () => {
    await start({})
    expect(await upgrade(path, isWhole)).toMatch(/^HTTP\/1\.1 403 /)
    expect(upgrades).toEqual([])
    expect(bench.audit.at(-1)?.message).toMatch(
      /Access denied to resource \/sap\/bc\/rfc on system erp\.demo:443: the functions of WebSocket RFC cannot be read/,
    )
  })

  it('admit nothing else: no other path, and no request that does not upgrade', async () => {
    await start({ passUnread: true })
    for (const other of ['/sap/bc/rfc/', '/sap/bc/ping', '/sap/bc/rfc/../gui'])
      expect(await upgrade(other, isWhole), other).toMatch(/^HTTP\/1\.1 403 /)
    expect((await bench.request({ path: '/sap/bc/rfc', host: 'erp.demo', port: 443 })).status).toBe(403)
    expect(upgrades).toEqual([])
    expect((await bench.tcp({ host: 'erp.demo', port: 443 })).answer).toMatchObject({ kind: 'refused', code: 'ACCESS_DENIED' })
  })
})
