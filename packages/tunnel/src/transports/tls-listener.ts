import { randomBytes, type X509Certificate } from 'node:crypto'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import type { Clock, Logger, TunnelListener } from '@sallyport/core'
import { maxLanes, type TlsLimits } from '../limits.ts'
import { createHalfOpenSockets, type HalfOpenSocket } from './half-open.ts'
import { type ArrivedLane, createLaneAssembly } from './lane-assembly.ts'
import { readExactly } from './read-exactly.ts'
import { listenError, materialError } from './tls-errors.ts'
import { chooseVersion, formatAnswer, helloHeadBytes, type LaneAnswer, parseHelloVersions, tryParseHelloHead } from './tls-hello.ts'
import { contextOptions, current, materialKey, type Renewable, type TlsMaterial } from './tls-material.ts'

/** A client that was turned away before it could say who it is. */
export interface TlsRefusal {
  /** Node's or OpenSSL's code, e.g. `UNABLE_TO_VERIFY_LEAF_SIGNATURE`. */
  readonly code: string
  /** Address that it came from; `''` when the socket is gone already. */
  readonly remoteAddress: string
}

/** What a listener for lanes needs. */
export interface ListenOptions {
  readonly endpoint: URL
  readonly material: Renewable<TlsMaterial>
  readonly versions: readonly number[]
  readonly limits: TlsLimits
  readonly clock: Clock
  readonly log: Logger
  readonly onLanes: (lanes: { readonly sockets: readonly TLSSocket[]; readonly peerCertificate: X509Certificate }) => void
  readonly onRefused: (refusal: TlsRefusal) => void
}

/** Accepts lanes and hands on those of complete connections. @throws ConnectivityError `PORT_IN_USE`, `CONFIGURATION_INVALID`. */
export async function listenForLanes(options: ListenOptions): Promise<TunnelListener> {
  const { endpoint, limits, log } = options
  const instance = randomBytes(8)
  const halfOpen = createHalfOpenSockets({ clock: options.clock, max: limits.maxHalfOpen, timeoutMs: limits.handshakeMs })
  const arriving = new Map<string, HalfOpenSocket>()
  const assembly = createLaneAssembly()
  const places = new WeakMap<TLSSocket, HalfOpenSocket>()
  let used = ''

  // Never listens itself: it is given each socket once that has got a place among the half-open ones.
  const handshakes = createTlsServer({ requestCert: true, rejectUnauthorized: true, allowHalfOpen: true })
  const useMaterial = (): void => {
    const material = current(options.material)
    const key = materialKey(material)
    if (key === used) return
    const usable = contextOptions(material, 'tunnel server')
    try {
      handshakes.setSecureContext(usable)
    } catch (cause) {
      throw materialError(cause, 'tunnel server')
    }
    used = key
  }
  useMaterial()

  handshakes.on('tlsClientError', (error, socket) => {
    const refused = socket.authorizationError as Error | string | undefined | null
    const code = String(refused ?? (error as NodeJS.ErrnoException).code ?? error.message)
    log.debug({ code }, 'a TLS handshake on the tunnel port failed')
    if (refused !== undefined && refused !== null) options.onRefused({ code, remoteAddress: socket.remoteAddress ?? '' })
    socket.destroy()
  })
  handshakes.on('secureConnection', (socket) => {
    socket.on('error', (error) => log.debug({ reason: error.message }, 'a tunnel lane failed'))
    const place = arriving.get(addressKey(socket))
    if (place === undefined) return void socket.destroy()
    places.set(socket, place)
    greet(socket).catch((error: unknown) => {
      log.debug({ reason: error instanceof Error ? error.message : String(error) }, 'a tunnel lane ended before its hello')
      socket.destroy()
    })
  })

  const greet = async (socket: TLSSocket): Promise<void> => {
    const head = tryParseHelloHead(await readExactly(socket, helloHeadBytes), maxLanes)
    const certificate = socket.getPeerX509Certificate()
    // Garbage gets no answer at all.
    if (head === undefined || certificate === undefined) return void socket.destroy()
    const offered = parseHelloVersions(await readExactly(socket, head.versionsBytes))
    const version = chooseVersion(offered, options.versions)
    const answer = (status: LaneAnswer['status']): Buffer =>
      formatAnswer({ status, version: version ?? options.versions[0] ?? 0, instance })
    if (version === undefined) return void socket.end(answer('version-unsupported'))
    const lane: ArrivedLane = { socket, hello: head, version, fingerprint: certificate.fingerprint256 }
    const result = assembly.add(lane)
    if (result.kind === 'refused') return void socket.end(answer('refused'))
    socket.write(answer('accepted'))
    if (result.kind === 'waiting') return
    const sockets = result.lanes.map((one) => one.socket)
    for (const one of sockets) places.get(one)?.settle()
    options.onLanes({ sockets, peerCertificate: certificate })
  }

  const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: limits.keepAliveMs })
  server.on('connection', (socket: Socket) => {
    const key = addressKey(socket)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => arriving.delete(key))
    arriving.set(key, halfOpen.add(socket))
    try {
      useMaterial()
    } catch (error) {
      // The certificates that worked until now go on working.
      log.error({ reason: error instanceof Error ? error.message : String(error) }, 'renewed tunnel certificate cannot be used')
    }
    handshakes.emit('connection', socket)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, endpoint)))
    server.listen({ host: endpoint.hostname.replace(/^\[|\]$/g, ''), port: Number(endpoint.port), backlog: 4_096 }, resolve)
  })
  server.removeAllListeners('error')
  server.on('error', (error) => log.error({ reason: error.message }, 'tunnel listener failed'))

  const bound = new URL(endpoint)
  bound.port = String((server.address() as AddressInfo).port)
  let closing: Promise<void> | undefined
  const close = (): Promise<void> =>
    (closing ??= new Promise((resolve) => {
      // `close` of a server waits for its connections; ours are to stay open, so only the listening ends here.
      server.close()
      halfOpen.closeAll()
      resolve()
    }))
  return { endpoint: bound, close, [Symbol.asyncDispose]: close }
}

/** Tells which raw socket a TLS socket runs over; unique while the connection lives. */
function addressKey(socket: Socket): string {
  return [socket.localAddress, socket.localPort, socket.remoteAddress, socket.remotePort].join(' ')
}
