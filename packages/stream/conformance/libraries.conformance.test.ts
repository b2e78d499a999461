import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { playAccount, ldapMessage, ldapResult, onLdapRequest, serveRelay } from '@sallyport/conformance/backends'
import { systemClock } from '@sallyport/core'
import { createMemoryPair } from '@sallyport/test-fixtures'
import { ImapFlow } from 'imapflow'
import { Client } from 'ldapts'
import { createTransport } from 'nodemailer'
import { expect, it } from 'vitest'
import { createSocketLike, type SocketLike } from '../src/index.ts'

const address = { host: 'server.virtual', port: 4711 }

/** A socket that is handed out before it is connected, with this at the far side. */
function socketTo(serve: (far: { readonly stream: Duplex }) => void): SocketLike {
  const [near, far] = createMemoryPair()
  far.on('error', () => {})
  const open = async (): Promise<Duplex> => {
    serve({ stream: far })
    return near
  }
  return createSocketLike({ open, address, clock: systemClock })
}

it('PR-010 has every member that libraries look for, and nodemailer, imapflow and ldapts run over it', async () => {
  const socket = socketTo(({ stream }) => void stream.resume())
  expect(socket).toMatchObject({ connecting: true, readyState: 'opening', encrypted: false })
  await once(socket, 'connect')
  expect(socket).toMatchObject({ connecting: false, readyState: 'open' })
  expect([socket.remoteAddress, socket.remotePort, socket.localAddress, socket.localPort]).toEqual([
    'server.virtual',
    4711,
    'server.virtual',
    4711,
  ])
  for (const call of [socket.setKeepAlive, socket.setNoDelay, socket.ref, socket.unref]) expect(call.call(socket)).toBe(socket)
  expect(socket.setTimeout(1)).toBe(socket)
  await once(socket, 'timeout')
  socket.destroy()
  expect(socket.readyState).toBe('closed')

  let relayed = ''
  const mailer = createTransport({
    host: address.host,
    port: address.port,
    ignoreTLS: true,
    getSocket: (_options: unknown, callback: (error: null, way: { connection: SocketLike }) => void) =>
      callback(null, {
        connection: socketTo((far) => void serveRelay(far as never, { onData: (line) => void (relayed += line.toString()) })),
      }),
  } as never)
  await mailer.sendMail({ from: 'a@acme.test', to: 'b@acme.test', subject: 'over a socket-like', text: 'hello' })
  expect(relayed).toContain('Subject: over a socket-like')
  mailer.close()

  const imap = new ImapFlow({
    host: address.host,
    port: address.port,
    secure: false,
    auth: { user: 'jane', pass: 'secret' },
    logger: false,
    transport: {
      connect(_options, onConnect) {
        const way = socketTo(({ stream }) => void playAccount(stream))
        way.once('connect', onConnect)
        return way
      },
    },
  })
  await imap.connect()
  expect(await imap.status('INBOX', { messages: true })).toMatchObject({ path: 'INBOX' })
  await imap.logout()

  const directory = new Client({
    url: 'ldap://server.virtual:4711',
    createConnection: (() =>
      socketTo((far) => onLdapRequest(far as never, ({ id }) => void far.stream.write(ldapMessage(id, ldapResult(0x61, 0)))))) as never,
  })
  await directory.bind('cn=app', 'secret')
  await directory.unbind()
})
