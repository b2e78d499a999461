import { createServer, type AddressInfo, type Socket } from 'node:net'

/** A mail server that takes what it is given: AUTH PLAIN and LOGIN, one dialogue per connection. */
export interface MailBackend extends AsyncDisposable {
  readonly port: number
  /** Messages with the user who handed them in. */
  readonly received: readonly { readonly user: string; readonly from: string; readonly text: string }[]
}

export async function startMailBackend(): Promise<MailBackend> {
  const received: { user: string; from: string; text: string }[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    const say = (line: string): void => void socket.write(`${line}\r\n`)
    let buffer = ''
    let user = ''
    let from = ''
    let inData = false
    const command = (line: string): void => {
      const [verb = '', ...rest] = line.split(' ')
      switch (verb.toUpperCase()) {
        case 'EHLO':
        case 'HELO':
          say('250-mail.demo')
          say('250 AUTH PLAIN')
          break
        case 'AUTH':
          user = Buffer.from(rest[1] ?? '', 'base64')
            .toString('utf8')
            .split('\0')
            .slice(1)
            .join(':')
          say('235 accepted')
          break
        case 'MAIL':
          from = rest.join(' ')
          say('250 ok')
          break
        case 'RCPT':
          say('250 ok')
          break
        case 'DATA':
          inData = true
          say('354 go on')
          break
        case 'QUIT':
          say('221 bye')
          socket.end()
          break
        default:
          say('250 ok')
      }
    }
    say('220 mail.demo')
    socket.on('data', (chunk: Buffer) => {
      buffer += chunk.toString('utf8')
      for (;;) {
        const end = buffer.indexOf(inData ? '\r\n.\r\n' : '\r\n')
        if (end < 0) return
        const line = buffer.slice(0, end)
        buffer = buffer.slice(end + (inData ? 5 : 2))
        if (inData) {
          received.push({ user, from, text: line })
          inData = false
          say('250 queued')
        } else command(line)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    received,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
