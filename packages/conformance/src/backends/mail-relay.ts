import { createHash } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import type { FarEnd } from '../far-side.ts'

/** What a relay of these tests has seen on one connection. */
export interface RelaySession {
  /** Every line before and after DATA, as it came; lines that begin with `(TLS)` came through TLS. */
  readonly lines: string[]
  readonly messages: RelayMessage[]
}

/** A message with its dots unstuffed. */
interface RelayMessage {
  readonly from: string
  readonly to: readonly string[]
  readonly text: string
  readonly bytes: number
  readonly sha256: string
}

/** What a scripted relay offers. */
export interface RelayOptions {
  /** Keywords of EHLO besides STARTTLS. */
  readonly extensions?: readonly string[]
  /** With it the relay offers STARTTLS, or speaks TLS from the first byte. */
  readonly tls?: { readonly key: string; readonly certificate: string; readonly implicit?: boolean }
  /** Whether a SASL response (PLAIN, XOAUTH2 or both answers of LOGIN with a blank in between) is good; without it AUTH is not offered. */
  readonly admit?: (mechanism: string, response: string) => boolean
  /** Another answer to a line, or `undefined` for the usual one; `''` is silence, `null` ends the connection. */
  readonly answer?: (line: string, session: RelaySession) => string | null | undefined
  /** Sees every line of a message as it comes. */
  readonly onData?: (line: Buffer) => void
  /** `''` is silence. */
  readonly greeting?: string
}

/** A mail server that keeps what it is given. Written from RFC 5321, 3207 and 4954 and from no code of the product. */
export function serveRelay(far: FarEnd, options: RelayOptions = {}): RelaySession {
  const session: RelaySession = { lines: [], messages: [] }
  const { tls } = options
  const encrypted = (): Duplex => {
    const socket = new TLSSocket(far.stream, { isServer: true, cert: tls?.certificate ?? '', key: tls?.key ?? '' })
    // Also in the middle of a handshake, which would not end by itself.
    for (const event of ['end', 'close']) socket.on(event, () => far.stream.destroy())
    return socket
  }
  far.stream.on('error', () => {})
  converse(tls?.implicit === true ? encrypted() : far.stream, tls?.implicit === true, true)
  return session

  function converse(stream: Duplex, secure: boolean, greets: boolean): void {
    let held: Buffer = Buffer.alloc(0)
    let from = ''
    let to: string[] = []
    let data: { hash: ReturnType<typeof createHash>; text: string; bytes: number } | undefined
    let dialogue: ((line: string) => void) | undefined
    const say = (text: string): void => void (stream.writable && stream.write(`${text}\r\n`))
    const refuseOrAdmit = (mechanism: string, response: string): void => {
      if (options.admit?.(mechanism, response) === true) say('235 2.7.0 welcome')
      else if (mechanism === 'XOAUTH2') {
        say(`334 ${Buffer.from('{"status":"401","schemes":"bearer","scope":"mail"}').toString('base64')}`)
        dialogue = () => say('535 5.7.8 the token does not open this mailbox')
      } else say('535 5.7.8 who is that')
    }
    const authenticate = (mechanism: string, initial: string | undefined): void => {
      if (mechanism === 'LOGIN') {
        say('334 VXNlcm5hbWU6')
        dialogue = (user) => {
          say('334 UGFzc3dvcmQ6')
          dialogue = (password) => refuseOrAdmit('LOGIN', `${decode(user)} ${decode(password)}`)
        }
      } else if (initial === undefined) {
        say('334 ')
        dialogue = (line) => refuseOrAdmit(mechanism, decode(line))
      } else refuseOrAdmit(mechanism, decode(initial))
    }
    const command = (line: string): void => {
      const verb = line.split(' ')[0]?.toUpperCase()
      switch (verb) {
        case 'EHLO': {
          const keywords = [
            ...(options.extensions ?? ['8BITMIME', 'PIPELINING']),
            ...(options.admit === undefined ? [] : ['AUTH PLAIN LOGIN XOAUTH2']),
          ]
          if (tls !== undefined && !secure) keywords.push('STARTTLS')
          say(['250-relay.test', ...keywords.map((keyword) => `250-${keyword}`)].join('\r\n'))
          return say('250 HELP')
        }
        case 'STARTTLS':
          if (tls === undefined || secure) return say('502 5.5.1 not here')
          say('220 2.0.0 go on')
          stream.removeListener('data', onData)
          return converse(encrypted(), true, false)
        case 'AUTH':
          return authenticate((line.split(' ')[1] ?? '').toUpperCase(), line.split(' ')[2])
        case 'MAIL':
          from = /<([^>]*)>/.exec(line)?.[1] ?? ''
          to = []
          return say('250 2.1.0 ok')
        case 'RCPT':
          to.push(/<([^>]*)>/.exec(line)?.[1] ?? '')
          return say('250 2.1.5 ok')
        case 'DATA':
          if (to.length === 0) return say('554 5.5.1 no valid recipients')
          data = { hash: createHash('sha256'), text: '', bytes: 0 }
          return say('354 go on')
        case 'QUIT':
          say('221 2.0.0 bye')
          stream.end()
          return
        default:
          return say('250 2.0.0 ok')
      }
    }
    const takeLine = (line: string): void => {
      session.lines.push(secure ? `(TLS) ${line}` : line)
      const other = options.answer?.(line, session)
      if (other === null) far.stream.destroy()
      else if (other !== undefined) {
        if (line.startsWith('RCPT') && other.startsWith('2')) to.push('')
        if (other !== '') say(other)
      } else if (dialogue !== undefined) {
        const next = dialogue
        dialogue = undefined
        next(line)
      } else command(line)
    }
    const takeData = (line: Buffer): void => {
      if (data === undefined) return
      if (line.equals(Buffer.from('.\r\n'))) {
        session.messages.push({ from, to, text: data.text, bytes: data.bytes, sha256: data.hash.digest('hex') })
        data = undefined
        const other = options.answer?.('.', session)
        if (other === null) far.stream.destroy()
        else if (other !== '') say(other ?? `250 2.0.0 Ok: queued as T${session.messages.length}`)
        return
      }
      const unstuffed = line[0] === 0x2e ? line.subarray(1) : line
      options.onData?.(unstuffed)
      data.hash.update(unstuffed)
      data.bytes += unstuffed.length
      if (data.text.length < 64 * 1024) data.text += unstuffed.toString('utf8')
    }
    function onData(chunk: Buffer): void {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
      let start = 0
      for (;;) {
        const end = held.indexOf('\r\n', start)
        if (end < 0) break
        const line = held.subarray(start, end + 2)
        start = end + 2
        if (data === undefined) takeLine(line.subarray(0, -2).toString('utf8'))
        else takeData(line)
      }
      held = held.subarray(start)
    }
    stream.on('error', () => far.stream.destroy())
    stream.on('end', () => stream.end())
    stream.on('data', onData)
    if (greets && options.greeting !== '') say(options.greeting ?? '220 relay.test ESMTP')
  }
}

function decode(text: string): string {
  return Buffer.from(text, 'base64').toString('utf8')
}
