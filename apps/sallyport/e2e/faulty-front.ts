import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A port in front of a listener of the proxy that breaks one promise. */
export interface FaultyFront extends AsyncDisposable {
  readonly port: number
}

/** Answers CONNECT with 200, as forward proxies on the Internet do, and passes everything else on. */
export function startConnectingFront(target: number): Promise<FaultyFront> {
  return startFront(target, (near, far) => {
    near.once('data', (first: Buffer) => {
      if (first.toString('latin1').startsWith('CONNECT ')) near.write('HTTP/1.1 200 Connection established\r\n\r\n')
      else far.write(first)
      near.pipe(far)
    })
    far.pipe(near)
  })
}

/** Closes both directions at the first end of either. */
export function startFullClosingFront(target: number): Promise<FaultyFront> {
  return startFront(target, (near, far) => {
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.pipe(to, { end: false })
      from.on('end', () => {
        from.destroy()
        to.destroy()
      })
    }
  })
}

async function startFront(target: number, join: (near: Socket, far: Socket) => void): Promise<FaultyFront> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one)
      one.on('error', () => other.resetAndDestroy())
    }
    join(near, far)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
