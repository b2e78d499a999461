import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SynchronisedIssuer } from '@sallyport/principal-propagation'
import { skipUnless } from '@sallyport/real-backends'
import { createHttpBackend, createManualClock, createTestIssuer, createTestKeytab } from '@sallyport/test-fixtures'
import { describe, expect, it } from 'vitest'
import { mappingTo, type RawConnection, startConnectorBench, until } from '../conformance/connector-bench.ts'
import { serviceLogonRetryMs } from '../src/limits.ts'
import { isAlive, recordProgram } from './recorded-program.ts'

const issuer = createTestIssuer()
const trusted: SynchronisedIssuer = { issuer: issuer.issuer, name: 'Test', type: 'OAUTH2', keys: issuer.keys }
const keytab = createTestKeytab([{ principal: 'svc@ACME.TEST', encryption: 18 }])

describe.skipIf(skipUnless('kinit'))('a KDC that is silent', () => {
  it('ends the wait of a request in time, for whoever waits with it too, and is left alone for a while', async () => {
    const sockets: Socket[] = []
    const kdc = createServer((socket) => void sockets.push(socket.on('error', () => {})))
    await once(kdc.listen(0, '127.0.0.1'), 'listening')
    const clock = createManualClock(Date.now())
    await using backend = await createHttpBackend({ answer: () => ({ body: 'ok' }) })
    await using bench = await startConnectorBench({
      connector: {
        kerberos: {
          realm: 'ACME.TEST',
          kdcHosts: [`127.0.0.1:${(kdc.address() as AddressInfo).port}`],
          serviceUser: 'svc',
          keytab: { file: 'service.keytab' },
        },
        mappings: [mappingTo(backend.url, { principalType: 'KERBEROS' })],
      },
      files: { 'service.keytab': keytab },
      issuers: [trusted],
      clock,
    })
    try {
      const ask = (name: string): Promise<{ readonly status: number; readonly body: string }> =>
        bench.request({ principal: { kind: 'business', token: issuer.user(name) } })
      const waiting = [ask('jane'), ask('john')]
      await until(() => sockets.length > 0)
      clock.advance(10_000)
      const late = expect.stringContaining('the KDC does not answer in time')
      for (const answer of await Promise.all(waiting)) expect(answer).toMatchObject({ status: 500, body: late })
      expect(backend.requests).toEqual([])
      const before = sockets.length
      expect(await ask('jane')).toMatchObject({ status: 500, body: late })
      expect(sockets).toHaveLength(before)
      // After that pause it is asked again.
      clock.advance(5_000)
      const again = ask('jane')
      await until(() => sockets.length > before)
      clock.advance(10_000)
      expect((await again).status).toBe(500)
    } finally {
      for (const socket of sockets) socket.destroy()
      kdc.close()
    }
  })

  it('is left by the log-on for which nobody waits any more; who comes next waits as after a failure', async () => {
    using kinit = recordProgram('kinit')
    const sockets: Socket[] = []
    const kdc = createServer((socket) => void sockets.push(socket.on('error', () => {})))
    await once(kdc.listen(0, '127.0.0.1'), 'listening')
    const clock = createManualClock(Date.now())
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-kerberos-'))
    await using bench = await startConnectorBench({
      connector: {
        kerberos: {
          realm: 'ACME.TEST',
          kdcHosts: [`127.0.0.1:${(kdc.address() as AddressInfo).port}`],
          serviceUser: 'svc',
          keytab: { file: 'service.keytab' },
        },
        mappings: [mappingTo('http://127.0.0.1:1', { principalType: 'KERBEROS' })],
      },
      files: { 'service.keytab': keytab },
      issuers: [trusted],
      clock,
      kerberos: { folder: join(folder, 'tickets'), searchPath: kinit.searchPath },
    })
    try {
      const ask = (name: string): RawConnection => {
        const connection = bench.raw({ principal: { kind: 'business', token: issuer.user(name) } })
        connection.write('GET / HTTP/1.1\r\nHost: s4.demo\r\n\r\n')
        return connection
      }
      const [jane, john] = [ask('jane'), ask('john')]
      await until(() => sockets.length > 0 && bench.openStreams === 2)
      const [pid = 0] = kinit.pids
      jane.stream.reset('cancelled')
      await until(() => bench.openStreams === 1)
      // The other one still waits for it.
      expect(isAlive(pid)).toBe(true)
      john.stream.reset('cancelled')
      await until(() => !isAlive(pid))
      expect(bench.connector.status.links[0]?.kerberos?.problem).toBe(undefined)
      const asked = sockets.length
      ask('jane')
      await until(() => bench.openStreams === 1)
      expect([kinit.pids, sockets.length]).toEqual([[pid], asked])
      clock.advance(serviceLogonRetryMs)
      await until(() => sockets.length > asked)
      expect(bench.logged.filter((line) => line.includes('request failed'))).toEqual([])
    } finally {
      for (const socket of sockets) socket.destroy()
      kdc.close()
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
