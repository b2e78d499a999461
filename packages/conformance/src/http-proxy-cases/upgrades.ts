import { expect } from '../expect.ts'
import { openClient, playBackend } from '../played-backend.ts'
import type { ProxyContext } from '../proxy-far-side.ts'
import { type RawClient, type RawPeer, readAnswer } from '../raw-peer.ts'
import { head, headAtBackend, type HttpProxyCase } from './http-proxy-case.ts'

export type UpgradeCase =
  | 'turns a connection into opaque bytes both ways after 101'
  | 'passes a refused upgrade on as an ordinary answer, and goes on'
  | 'does not pass h2c on'

/** WebSockets and their like. */
export const upgradeCases: Readonly<Record<UpgradeCase, HttpProxyCase>> = {
  'turns a connection into opaque bytes both ways after 101': {
    requires: 'upgrades',
    proves: ['CP-090'],
    async run(context) {
      const { client, peer, request } = await upgrade(context)
      expect(request, 'head at the backend').toMatch(/^upgrade: websocket\r$/im)
      expect(request, 'head at the backend').toMatch(/^connection: upgrade\r$/im)
      peer.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nserver first')
      expect(await client.read('server first'), 'the answer').toMatch(/^HTTP\/1.1 101 /)
      client.write('GET http://no.http/ HTTP/1.1\r\n\r\n')
      expect(await peer.read('\r\n\r\n'), 'bytes after the upgrade').toBe('GET http://no.http/ HTTP/1.1\r\n\r\n')
      client.socket.end('last words')
      await peer.read('last words')
      expect(await peer.ended, 'how the backend heard of the end').toBe('end')
      peer.stream.end('still here')
      await client.read('still here')
      expect(await client.ended, 'how the connection ended').toBe('end')
    },
  },
  'passes a refused upgrade on as an ordinary answer, and goes on': {
    requires: 'upgrades',
    async run(context) {
      const { client, peer, authority } = await upgrade(context)
      peer.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno')
      expect((await readAnswer(client)).status, 'status').toBe(403)
      client.write(head(context, `GET http://${authority}/next HTTP/1.1`))
      expect(await peer.read('\r\n\r\n'), 'the next head at the backend').not.toMatch(/^upgrade:/im)
    },
  },
  'does not pass h2c on': {
    async run(context) {
      const seen = await headAtBackend(context, ['Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__', 'Connection: Upgrade, HTTP2-Settings'])
      expect(seen, 'head at the backend').not.toMatch(/h2c|http2-settings/i)
    },
  },
}

async function upgrade(context: ProxyContext): Promise<{ client: RawClient; peer: RawPeer; request: string; authority: string }> {
  const { authority, accept } = await playBackend(context)
  const client = await openClient(context)
  const lines = ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==']
  client.write(head(context, `GET http://${authority}/chat HTTP/1.1`, lines))
  const peer = await accept()
  return { client, peer, request: await peer.read('\r\n\r\n'), authority }
}
