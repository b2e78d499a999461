import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** What a relay does wrong. Texts have one character per byte and come as the network cuts them. */
export interface Tampering {
  /** From the side that dialled. */
  readonly forward?: (text: string) => string
  /** From the side that was dialled. */
  readonly backward?: (text: string) => string
  /** What one side ends is not told to the other. */
  readonly deafTo?: 'dialler' | 'dialled'
  /** As soon as one side ends, both are closed. */
  readonly endsBoth?: boolean
  /** Tells a reset as an end, or an end as a reset. */
  readonly ending?: 'softened' | 'hardened'
  /** Nothing is passed on before the side that dialled has been silent for so long. */
  readonly holdMs?: number
}

/** Stands in front of a port on this machine and tampers with what passes. */
export async function startTamperingRelay(target: number, tampering: Tampering): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (dialler) => {
    const dialled = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    join(dialler, dialled, 'dialler', tampering)
    join(dialled, dialler, 'dialled', tampering)
    sockets.add(dialler).add(dialled)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

function join(
  from: Socket,
  to: Socket,
  name: 'dialler' | 'dialled',
  { forward, backward, deafTo, endsBoth, ending, holdMs }: Tampering,
): void {
  const change = name === 'dialler' ? forward : backward
  let held = ''
  let timer: NodeJS.Timeout | undefined
  const release = (): void => {
    to.write(held, 'latin1')
    held = ''
  }
  from.on('data', (chunk: Buffer) => {
    const text = chunk.toString('latin1')
    if (holdMs === undefined) return void to.write(change === undefined ? text : change(text), 'latin1')
    held += text
    clearTimeout(timer)
    timer = setTimeout(release, holdMs)
  })
  from.on('end', () => {
    if (deafTo === name) return
    if (ending === 'hardened') to.resetAndDestroy()
    else if (endsBoth === true) for (const one of [from, to]) one.destroy()
    else to.end()
  })
  from.on('error', () => {
    if (ending === 'softened') to.end()
    else if (deafTo !== name) to.resetAndDestroy()
  })
  from.on('close', () => clearTimeout(timer))
}
