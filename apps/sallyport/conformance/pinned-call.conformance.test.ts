import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createTestCa, type TestIdentity } from '@sallyport/test-fixtures'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createPinnedCaller } from '../src/connector-client/pinned-call.ts'

const ca = createTestCa()
const own = ca.issue({ subject: '/CN=connector' })
const other = ca.issue({ subject: '/CN=other', names: ['other.example'] })

let servers: readonly Server[]
let addresses: readonly string[]
beforeEach(async () => {
  servers = [own, other].map(({ certificate, key }) =>
    createServer({ cert: certificate, key }, (_request, response) => void response.end('hello')),
  )
  for (const server of servers) await once(server.listen(0, '127.0.0.1'), 'listening')
  addresses = servers.map((server) => `https://localhost:${(server.address() as AddressInfo).port}`)
})
afterEach(() => {
  for (const server of servers) server.close().closeAllConnections()
})

async function ask(address: string | undefined, { certificate }: Pick<TestIdentity, 'certificate'>): Promise<string> {
  using call = createPinnedCaller(address ?? '', certificate)
  return (await call({ method: 'GET', path: '/' })).body.toString()
}

it('takes of an authority that is named only the certificate of the host that is called', async () => {
  expect(await ask(addresses[0], ca)).toBe('hello')
  await expect(ask(addresses[1], ca)).rejects.toMatchObject({ code: 'PEER_UNTRUSTED', message: expect.stringContaining('ALTNAME') })
})

it('takes a certificate that is named itself for any host, and no other of its authority', async () => {
  expect(await ask(addresses[1], other)).toBe('hello')
  await expect(ask(addresses[0], other)).rejects.toMatchObject({ code: 'PEER_UNTRUSTED' })
})
