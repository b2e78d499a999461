import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer, type ListenOptions, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Duplex, pipeline } from 'node:stream'
import { type Address, type ConnectivityError, withDeadline } from '@sallyport/core'
import { bridgeError, connectionError } from './stream-errors.ts'
import { bridgeAcceptMs, maxSocketPathBytes } from './limits.ts'

/** What a bridge leads to. One bridge serves one connection of one library. */
export interface BridgeOptions {
  /** Asked once, when the library has connected. Who has dialled already returns that stream. The bridge owns it from then on. */
  readonly open: () => Promise<Duplex>
  /** Ends the wait for the library; a connection that is made stays. */
  readonly signal: AbortSignal
  /** For errors: what the bridge is for. */
  readonly attempt: string
}

/** A local way to one stream. Disposing closes it for newcomers and ends the connection that it carries. */
export interface Bridge extends AsyncDisposable {
  /** Settles when the library is connected; from then on nobody else is let in, and no trace is left in the file system. */
  readonly taken: Promise<void>
  /** Why the far side failed. The library only sees its connection end, so whoever reports that adds this as the cause. */
  readonly failure: ConnectivityError | undefined
}

/**
 * Opens a Unix socket in a fresh folder that only this user may enter (on Windows a pipe with a random name). It takes one
 * connection, within ten seconds; after that, or without that, nothing of it is left.
 *
 * @throws ConnectivityError `SERVICE_UNAVAILABLE`, `ABORTED`, `DEADLINE_EXCEEDED`, also by `taken`.
 */
export async function openBridge(options: BridgeOptions): Promise<Bridge & { readonly path: string }> {
  const place = await makePlace(options)
  const { bridge } = await listen(options, { path: place.path }, place.remove)
  return Object.assign(bridge, { path: place.path })
}

/**
 * Opens a random port of 127.0.0.1, for libraries that take host and port only. Every user of this machine could connect
 * there, so it closes with the first connection; when that is somebody else's, the library is refused and nothing is lost
 * but the attempt. `ports` are for libraries that do not take every port: the first that nobody has is opened.
 *
 * @throws ConnectivityError as {@link openBridge}.
 */
export async function openLoopbackBridge(
  options: BridgeOptions,
  ports: readonly number[] = [0],
): Promise<Bridge & { readonly address: Address }> {
  for (const [at, candidate] of ports.entries()) {
    try {
      const { bridge, port } = await listen(options, { host: '127.0.0.1', port: candidate }, async () => {})
      return Object.assign(bridge, { address: { host: '127.0.0.1', port } })
    } catch (error) {
      const { code } = ((error as Error).cause ?? {}) as { readonly code?: unknown }
      if (code !== 'EADDRINUSE' || at === ports.length - 1) throw error
    }
  }
  throw new RangeError('no port to open')
}

async function listen(
  { open, signal: parent, attempt }: BridgeOptions,
  where: ListenOptions,
  remove: () => Promise<void>,
): Promise<{ readonly bridge: Bridge; readonly port: number }> {
  const disposed = new AbortController()
  const signal = withDeadline(bridgeAcceptMs, AbortSignal.any([parent, disposed.signal]))
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true })
  let failure: ConnectivityError | undefined
  let joined: Socket | undefined
  try {
    server.listen(where)
    await once(server, 'listening', { signal })
  } catch (error) {
    server.close()
    await remove()
    throw bridgeError(parent, attempt, error)
  }
  const port = (server.address() as AddressInfo).port
  const accepted = new Promise<Socket>((resolve) => {
    server.on('connection', (socket) => {
      // Whoever was quick enough to get into the queue behind the first is sent away.
      if (joined !== undefined || signal.aborted) socket.destroy()
      else {
        joined = socket
        server.close()
        resolve(socket)
      }
    })
  })
  const fail = (error: unknown): void => {
    if (error !== undefined && error !== null) failure ??= connectionError(attempt, error)
  }
  const lead = async (socket: Socket): Promise<void> => {
    let stream: Duplex
    try {
      stream = await open()
    } catch (error) {
      fail(error)
      socket.destroy()
      return
    }
    stream.once('error', fail)
    // Either side may have ended while the other was opened; `pipeline` throws then, and leaves the other one open.
    if (socket.destroyed || stream.destroyed) {
      fail(stream.errored)
      socket.destroy()
      stream.destroy()
      return
    }
    // Whatever breaks one side breaks the other.
    pipeline(socket, stream, socket, () => {})
  }
  const accept = async (): Promise<void> => {
    try {
      const { promise: aborted, reject } = Promise.withResolvers<never>()
      const onAbort = (): void => reject(signal.reason as Error)
      signal.addEventListener('abort', onAbort, { once: true })
      if (signal.aborted) onAbort()
      const socket = await Promise.race([accepted, aborted]).finally(() => signal.removeEventListener('abort', onAbort))
      // An error before the streams are joined is one after it, too.
      socket.on('error', () => {})
      void lead(socket)
    } catch (error) {
      throw bridgeError(parent, attempt, error)
    } finally {
      server.close()
      await remove()
    }
  }
  const taken = accept()
  // Not everybody waits for it.
  taken.catch(() => {})
  return {
    port,
    bridge: {
      taken,
      get failure() {
        return failure
      },
      async [Symbol.asyncDispose]() {
        disposed.abort()
        joined?.destroy()
        // Why nobody came does not matter any more.
        await taken.catch(() => {})
      },
    },
  }
}

/** `mkdtemp` makes folders of mode 0700. */
async function makePlace({ signal, attempt }: BridgeOptions): Promise<{ readonly path: string; remove(): Promise<void> }> {
  if (process.platform === 'win32') {
    return { path: `\\\\.\\pipe\\sallyport-${randomBytes(16).toString('hex')}`, remove: async () => {} }
  }
  const name = 'sallyport-XXXXXX/socket'
  const parent = Buffer.byteLength(join(tmpdir(), name)) > maxSocketPathBytes ? '/tmp' : tmpdir()
  try {
    const folder = await mkdtemp(join(parent, 'sallyport-'))
    return { path: join(folder, 'socket'), remove: () => rm(folder, { recursive: true, force: true }) }
  } catch (error) {
    throw bridgeError(signal, attempt, error)
  }
}
