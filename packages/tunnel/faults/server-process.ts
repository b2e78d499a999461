// A tunnel server as a process of its own, for tests that kill it. Arguments: the port, and a JSON file with the TLS material.
import { readFileSync } from 'node:fs'
import { type AuditSink, systemClock } from '@sallyport/core'
import { createTunnelServer, formatMessage, type TunnelServer } from '../src/index.ts'
import { createTlsTransport, type TlsMaterial } from '../src/transports/tls.ts'

const [port = '0', file = ''] = process.argv.slice(2)
const audit: AuditSink = { failing: false, write() {}, flushed: async () => {} }
const server: TunnelServer = createTunnelServer({
  transport: createTlsTransport({ clock: systemClock, server: JSON.parse(readFileSync(file, 'utf8')) as TlsMaterial }),
  endpoint: new URL(`tls://127.0.0.1:${port}`),
  authorize: async () => ({ allowed: true, subaccount: 'demo' }),
  trust: async () => [],
  clock: systemClock,
  audit,
  events: {
    wanted: true,
    emit(event) {
      if (event.type !== 'tunnel-connected') return
      const base = { subaccount: 'demo', locationId: '', virtualHost: 'h', virtualPort: 1, correlationId: String(process.pid) }
      // Once the tunnel is registered, a stream with traffic that never ends by itself.
      setImmediate(() => {
        const stream = server.find('demo', '')?.openStream(formatMessage({ kind: 'tcp', ...base, timeoutMs: 0 }), {
          onData: () => true,
          onEnd() {},
          onDrain() {},
          onClose() {},
        })
        stream?.write(Buffer.from(`from ${process.pid}`))
      })
    },
  },
})
process.stdout.write(`${(await server.listen()).href}\n`)
