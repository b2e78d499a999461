import { randomBytes, type X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as tlsConnect, type ConnectionOptions, type SecureContext, type TLSSocket } from 'node:tls'
import { abortedError, type Clock, ConnectivityError } from '@sallyport/core'
import type { TlsLimits } from '../limits.ts'
import { readExactly } from './read-exactly.ts'
import { dialError } from './tls-errors.ts'
import { answerBytes, formatHello, type LaneAnswer, tryParseAnswer } from './tls-hello.ts'

/** Opens a byte stream to the server another way than directly, such as through a proxy; `undefined` where the direct way is the right one. */
export type OpenSocket = (address: { readonly host: string; readonly port: number }, signal: AbortSignal) => Promise<Duplex | undefined>

/** What one attempt to open all lanes needs. */
export interface DialOptions {
  readonly endpoint: URL
  readonly context: SecureContext
  readonly servername: string | undefined
  readonly verify: ((certificate: X509Certificate) => boolean) | undefined
  readonly lanes: number
  readonly versions: readonly number[]
  readonly limits: TlsLimits
  readonly openSocket: OpenSocket | undefined
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Lanes that are ready for frames, in order. Whoever receives them destroys them. */
export interface DialledLanes {
  readonly sockets: readonly TLSSocket[]
  readonly version: number
  readonly peerCertificate: X509Certificate | undefined
}

/** Opens every lane of a new connection; when one fails, all are closed again. @throws ConnectivityError */
export async function dialLanes(options: DialOptions): Promise<DialledLanes> {
  const { endpoint, signal, limits } = options
  const attempt = `connecting to ${endpoint.host}`
  if (signal.aborted) throw abortedError(signal, attempt)
  const sockets: TLSSocket[] = []
  const giveUp = new AbortController()
  const onAbort = (): void => giveUp.abort(abortedError(signal, attempt))
  signal.addEventListener('abort', onAbort, { once: true })
  const cancelDeadline = options.clock.after(limits.handshakeMs, () =>
    giveUp.abort(new ConnectivityError('PEER_UNREACHABLE', `${attempt}: no answer in ${limits.handshakeMs} ms`)),
  )
  giveUp.signal.addEventListener('abort', () => {
    for (const socket of sockets) socket.destroy()
  })
  const connectionId = randomBytes(16)
  try {
    const dialled = await Promise.all(
      Array.from({ length: options.lanes }, (_, lane) => dialLane({ ...options, signal: giveUp.signal }, connectionId, lane, sockets)),
    )
    const [first] = dialled
    if (first === undefined) throw new ConnectivityError('CONFIGURATION_INVALID', 'a tunnel connection needs at least one lane')
    if (dialled.some(({ answer }) => !answer.instance.equals(first.answer.instance))) {
      const text = `${attempt}: the lanes reached different servers; let the load balancer keep them together or use one lane`
      throw new ConnectivityError('PEER_UNREACHABLE', text)
    }
    return { sockets, version: first.answer.version, peerCertificate: first.certificate }
  } catch (error) {
    for (const socket of sockets) socket.destroy()
    if (giveUp.signal.aborted) throw giveUp.signal.reason
    throw error
  } finally {
    cancelDeadline()
    signal.removeEventListener('abort', onAbort)
  }
}

interface DialledLane {
  readonly answer: LaneAnswer
  readonly certificate: X509Certificate | undefined
}

async function dialLane(options: DialOptions, connectionId: Buffer, lane: number, sockets: TLSSocket[]): Promise<DialledLane> {
  const { endpoint, limits } = options
  const host = endpoint.hostname.replace(/^\[|\]$/g, '')
  const servername = options.servername ?? (isIP(host) === 0 ? host : undefined)
  const port = Number(endpoint.port)
  const way = options.openSocket === undefined ? undefined : await options.openSocket({ host, port }, options.signal)
  if (way !== undefined && options.signal.aborted) {
    way.destroy()
    throw abortedError(options.signal, `connecting to ${endpoint.host}`)
  }
  // The typings do not know that sockets of a TLS client half-close as well.
  const given: ConnectionOptions & { readonly allowHalfOpen: true } = {
    ...(way === undefined ? { host, port } : { socket: way }),
    secureContext: options.context,
    allowHalfOpen: true,
    ...(servername === undefined ? {} : { servername }),
  }
  const socket = tlsConnect(given)
  sockets[lane] = socket
  socket.setNoDelay(true)
  socket.setKeepAlive(true, limits.keepAliveMs)
  let handshakeDone = false
  try {
    await handshake(socket)
    handshakeDone = true
    // Node hands a client the certificate of the server once only; asked again it has none.
    const certificate = socket.getPeerX509Certificate()
    if (options.verify !== undefined && (certificate === undefined || !options.verify(certificate))) {
      throw new ConnectivityError('PEER_UNTRUSTED', `the certificate of ${endpoint.host} is not the expected one`)
    }
    socket.write(formatHello({ connectionId, lane, lanes: options.lanes, versions: options.versions }))
    const answer = tryParseAnswer(await readExactly(socket, answerBytes))
    if (answer === undefined) throw new ConnectivityError('PROTOCOL_VIOLATION', `${endpoint.host} is not a tunnel server`)
    if (answer.status === 'version-unsupported' || (answer.status === 'accepted' && !options.versions.includes(answer.version))) {
      const text = `${endpoint.host} speaks tunnel version ${answer.version}, we speak ${options.versions.join(', ')}`
      throw new ConnectivityError('VERSION_UNSUPPORTED', text)
    }
    if (answer.status === 'refused') throw new ConnectivityError('PEER_UNREACHABLE', `${endpoint.host} refused a lane of the tunnel`)
    return { answer, certificate }
  } catch (error) {
    throw dialError(error, endpoint, handshakeDone)
  }
}

function handshake(socket: TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('secureConnect', resolve)
    // Stays for the life of the socket: an error always closes it, and the link hears that.
    socket.on('error', reject)
    socket.once('close', () => reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' })))
  })
}
