import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Duplex, pipeline } from 'node:stream'
import { withDeadline } from '@sallyport/core'
import { bridgeError } from './stream-errors.ts'
import { bridgeAcceptMs, maxSocketPathBytes } from './limits.ts'

/** A private local socket that leads one library to one stream. */
export interface Bridge {
  readonly path: string
  /** Settles when the library is connected; from then on the socket takes nobody else and its folder is gone. */
  readonly taken: Promise<void>
}

/**
 * Opens a Unix socket in a fresh folder that only this user may enter (on Windows a pipe with a random name). It takes one
 * connection, within seconds, and joins it to the stream; after that, or without that, nothing of it is left.
 *
 * @throws ConnectivityError `SERVICE_UNAVAILABLE`, also by `taken`.
 */
export async function openBridge(stream: Duplex, parent: AbortSignal): Promise<Bridge> {
  const signal = withDeadline(bridgeAcceptMs, parent)
  const place = await makePlace(signal)
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true })
  try {
    server.listen(place.path)
    await once(server, 'listening', { signal })
  } catch (error) {
    server.close()
    await place.remove()
    throw bridgeError(parent, error)
  }
  const accept = async (): Promise<void> => {
    try {
      const [socket] = (await once(server, 'connection', { signal })) as [Socket]
      // Whatever breaks one side breaks the other; the stream knows why.
      pipeline(socket, stream, socket, () => {})
    } catch (error) {
      throw bridgeError(parent, error)
    } finally {
      server.close()
      await place.remove()
    }
  }
  return { path: place.path, taken: accept() }
}

/** `mkdtemp` makes folders of mode 0700. */
async function makePlace(signal: AbortSignal): Promise<{ readonly path: string; remove(): Promise<void> }> {
  if (process.platform === 'win32') {
    return { path: `\\\\.\\pipe\\sallyport-${randomBytes(16).toString('hex')}`, remove: async () => {} }
  }
  const name = 'sallyport-XXXXXX/socket'
  const parent = Buffer.byteLength(join(tmpdir(), name)) > maxSocketPathBytes ? '/tmp' : tmpdir()
  try {
    const folder = await mkdtemp(join(parent, 'sallyport-'))
    return { path: join(folder, 'socket'), remove: () => rm(folder, { recursive: true, force: true }) }
  } catch (error) {
    throw bridgeError(signal, error)
  }
}
