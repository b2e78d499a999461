import type { Duplex } from 'node:stream'
import { ConnectivityError, parseDestination, type ProtocolClient, type TcpDestination, underSignal } from '@sallyport/core'
import type { ScriptedBackend } from './scripted-backend.ts'

interface TcpAsks extends ProtocolClient {
  socket(options: { readonly signal: AbortSignal }): Promise<Duplex>
}

/** Sends back what arrives. */
export const tcpBackend: ScriptedBackend<'TCP', TcpAsks> = {
  destination: ({ host, port }, locationId = 'orlando') =>
    parseDestination({
      Name: 'ECHO',
      Type: 'TCP',
      Address: `tcp://${host}:${port}`,
      ProxyType: 'OnPremise',
      CloudConnectorLocationId: locationId,
    }) as TcpDestination,
  serve: ({ stream }) => void stream.pipe(stream),
  async work(client, signal) {
    const stream = await client.socket({ signal })
    try {
      stream.write('question')
      let answer = ''
      const reading = (async () => {
        for await (const chunk of stream.iterator({ destroyOnReturn: false })) if ((answer += String(chunk)).length >= 8) return
      })()
      await underSignal(reading, signal, 'read the echo')
      if (answer !== 'question') throw new ConnectivityError('PROTOCOL_VIOLATION', 'this is no echo')
    } finally {
      stream.destroy()
    }
  },
  features: { basic: false, header: false, principal: false, locations: true, answers: false },
}
