import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AuditEntry, type AuditSink, type Clock, type StreamCloseReason, systemClock } from '@sallyport/core'
import { createManualClock, createTestCa } from '@sallyport/test-fixtures'
import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../test-support/turn.ts'
import {
  type AuthorizeConnector,
  createTunnelClient,
  createTunnelServer,
  formatMessage,
  type StreamOpening,
  type TunnelClient,
  type TunnelServer,
} from '../src/index.ts'
import { createTlsTransport, type TlsClientMaterial, type TlsTransportOptions } from '../src/transports/tls.ts'

const ca = createTestCa()
const server = { ...ca.issue({ subject: '/CN=server' }), ca: ca.certificate }
const identityOf = (subaccount: string): TlsClientMaterial => ({
  ...ca.issue({ subject: `/O=${subaccount}/CN=connector`, names: [], days: 1 }),
  ca: ca.certificate,
})
const quiet = { onData: () => true, onEnd() {}, onDrain() {}, onClose() {} }

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

/** The subaccount is the organisation in the certificate, and nothing else. */
const byCertificate: AuthorizeConnector = async (certificate) => {
  const subaccount = /^O=(.*)$/m.exec(certificate?.subject ?? '')?.[1]
  if (subaccount === undefined) return { allowed: false, code: 'PEER_UNTRUSTED', message: 'no organisation in the certificate' }
  return { allowed: true, subaccount }
}

async function startServer(
  options: { readonly clock?: Clock; readonly audit?: AuditEntry[]; readonly transport?: Partial<TlsTransportOptions> } = {},
): Promise<{ readonly tunnels: TunnelServer; readonly endpoint: URL }> {
  const { clock = systemClock, audit = [] } = options
  const sink: AuditSink = { failing: false, write: (entry) => void audit.push(entry), flushed: async () => {} }
  const tunnels = createTunnelServer({
    transport: createTlsTransport({ clock, server, ...options.transport }),
    endpoint: new URL('tls://127.0.0.1:0'),
    authorize: byCertificate,
    trust: async () => [],
    clock,
    audit: sink,
  })
  closers.push(async () => tunnels.close({ graceMs: 0 }))
  return { tunnels, endpoint: await tunnels.listen() }
}

function startClient(options: {
  readonly endpoint: URL
  readonly client: TlsTransportOptions['client']
  readonly clock?: Clock
  readonly hello?: object
  readonly onOpening?: (opening: StreamOpening) => void
  readonly transport?: Partial<TlsTransportOptions>
}): TunnelClient {
  const { endpoint, clock = systemClock, client } = options
  const tunnel = createTunnelClient({
    transport: createTlsTransport({ clock, ...(client === undefined ? {} : { client }), ...options.transport }),
    endpoint,
    hello: { locationId: '', connectorId: 'connector', agentVersion: '1', description: '', ...options.hello },
    onStream(incoming, opening) {
      options.onOpening?.(opening)
      incoming.accept(quiet)
    },
    clock,
    random: () => 0.1,
  })
  closers.push(async () => tunnel.close({ graceMs: 0 }))
  return tunnel
}

describe('connectors over TLS', () => {
  it('CP-093 a certificate of one subaccount opens no tunnel of another and gets none of its streams', async () => {
    const { tunnels, endpoint } = await startServer()
    const heard: string[] = []
    // The connector of `a` claims whatever the wire lets it claim.
    const a = startClient({
      endpoint,
      client: identityOf('a'),
      hello: { subaccount: 'b', tunnelId: 'account:///b' },
      onOpening: () => heard.push('a'),
    })
    await a.whenReady(AbortSignal.timeout(10_000))
    expect(a.state).toMatchObject({ subaccount: 'a', tunnelId: 'account:///a' })
    expect(tunnels.find('b', '')).toBeUndefined()
    await expect(tunnels.waitFor('b', '', AbortSignal.timeout(10_000))).rejects.toThrow(/no cloud connector/)
    const b = startClient({ endpoint, client: identityOf('b'), onOpening: () => heard.push('b') })
    await b.whenReady(AbortSignal.timeout(10_000))
    expect(tunnels.list().map(({ subaccount }) => subaccount)).toEqual(['a', 'b'])
    const base = { locationId: '', virtualHost: 'h', virtualPort: 1, correlationId: 'c', timeoutMs: 1 }
    tunnels.find('b', '')?.openStream(formatMessage({ kind: 'tcp', subaccount: 'b', ...base }), quiet)
    await until(() => heard.length === 1)
    expect(heard).toEqual(['b'])
    // A stream for `b` that a faulty server put on the tunnel of `a` is refused there.
    const reasons: StreamCloseReason[] = []
    const onClose = (reason: StreamCloseReason): void => void reasons.push(reason)
    tunnels.find('a', '')?.openStream(formatMessage({ kind: 'tcp', subaccount: 'b', ...base }), { ...quiet, onClose })
    await until(() => reasons.length === 1)
    expect(reasons).toEqual([{ kind: 'reset', by: 'peer', code: 'refused' }])
    expect(heard).toEqual(['b'])
  })

  it('refuses a certificate that says no subaccount, and writes that down', async () => {
    const audit: AuditEntry[] = []
    const { endpoint } = await startServer({ audit })
    const nobody = { ...ca.issue({ subject: '/CN=nobody', names: [] }), ca: ca.certificate }
    const client = startClient({ endpoint, client: nobody })
    await until(() => client.state.kind === 'failed')
    expect(client.state).toMatchObject({ reason: 'refused', code: 'PEER_UNTRUSTED' })
    expect(audit.map(({ type, user }) => `${type} ${user}`)).toEqual(['tunnel-refused connector'])
  })

  it('ends a tunnel with the certificate that opened it; with a renewed one the connector is back', async () => {
    const clock = createManualClock(Date.now())
    const never = { multiplexer: { pingIntervalMs: 1e12 } }
    const { tunnels, endpoint } = await startServer({ clock, transport: never })
    let client = identityOf('a')
    const connector = startClient({ endpoint, client: () => client, clock, transport: never })
    await connector.whenReady(AbortSignal.timeout(10_000))
    const before = tunnels.find('a', '')
    client = { ...ca.issue({ subject: '/O=a/CN=renewed', names: [], days: 9 }), ca: ca.certificate }
    clock.advance(86_400_000 + 60_000)
    await until(() => connector.state.kind === 'connecting' && connector.state.retryAtMs !== undefined)
    expect(tunnels.find('a', '')).toBeUndefined()
    clock.advance(1_000)
    await connector.whenReady(AbortSignal.timeout(10_000))
    expect(tunnels.find('a', '')).not.toBe(before)
  })

  it('connects again after the server process was killed and started anew', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-tunnel-'))
    const file = join(folder, 'material.json')
    writeFileSync(file, JSON.stringify(server))
    const start = async (port: string): Promise<{ readonly process: ChildProcess; readonly endpoint: URL }> => {
      const started = spawn(
        process.execPath,
        ['--conditions=@sallyport/source', join(import.meta.dirname, 'server-process.ts'), port, file],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      )
      const [line] = (await once(started.stdout, 'data')) as [Buffer]
      return { process: started, endpoint: new URL(line.toString().trim()) }
    }
    const kill = async (child: ChildProcess): Promise<void> => {
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    }
    try {
      const first = await start('0')
      const openings: string[] = []
      const client = startClient({
        endpoint: first.endpoint,
        client: identityOf('a'),
        onOpening: ({ correlationId }) => openings.push(correlationId),
      })
      await until(() => openings.length === 1)
      await kill(first.process)
      await until(() => client.state.kind === 'connecting')
      const second = await start(first.endpoint.port)
      await until(() => openings.length === 2)
      expect(openings).toEqual([String(first.process.pid), String(second.process.pid)])
      expect(client.state.kind).toBe('ready')
      await client.close({ graceMs: 0 })
      await kill(second.process)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
