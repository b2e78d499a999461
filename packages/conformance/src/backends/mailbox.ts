import type { Duplex } from 'node:stream'
import { onLine } from './text-lines.ts'

/** How a scripted server answers one line. Without an answer of the script the server answers as a mailbox of one message does. */
export interface MailboxScript {
  readonly greeting?: string
  /** Lines of the answer to CAPA; `undefined` answers -ERR. */
  readonly capabilities?: readonly string[] | undefined
  /** Whether that base64 response of AUTH PLAIN, or that password of USER and PASS, opens the mailbox. */
  readonly opens?: (presented: string) => boolean
  readonly answer?: (line: string, say: (text: string) => void) => boolean
}

/** What the one message is. */
export const storedMessage: string = 'Subject: hello\r\n\r\n.one dot\r\n..two\r\n\r\nend\r\n'
const wireMessage = 'Subject: hello\r\n\r\n..one dot\r\n...two\r\n\r\nend\r\n.\r\n'

/** Plays a POP3 server on a stream. Returns every line that came, to be read later. Written from RFC 1939 and from no code of the product. */
export function playMailbox(stream: Duplex, script: MailboxScript = {}): string[] {
  const lines: string[] = []
  const { opens, answer } = script
  const capabilities = 'capabilities' in script ? script.capabilities : ['TOP', 'UIDL', 'USER', 'SASL PLAIN', 'RESP-CODES']
  let known = opens === undefined
  let pending: ((response: string) => void) | undefined
  const say = (text: string): void => void stream.write(text)
  const knock = (presented: string): void => {
    known = opens?.(presented) ?? true
    say(known ? '+OK welcome\r\n' : '-ERR [AUTH] who is that\r\n')
  }
  const commands: Readonly<Record<string, (rest: string) => void>> = {
    CAPA: () => say(capabilities === undefined ? '-ERR no\r\n' : ['+OK', ...capabilities, '.', ''].join('\r\n')),
    AUTH: (rest) => {
      const [, response] = rest.split(' ')
      if (response !== undefined) knock(response)
      else {
        say('+ \r\n')
        pending = knock
      }
    },
    USER: () => say('+OK\r\n'),
    PASS: knock,
    STAT: () => say(`+OK 1 ${storedMessage.length}\r\n`),
    LIST: (rest) => say(rest === '' ? `+OK\r\n1 ${storedMessage.length}\r\n.\r\n` : `+OK 1 ${storedMessage.length}\r\n`),
    UIDL: (rest) => say(rest === '' ? '+OK\r\n1 id-of-one\r\n.\r\n' : '+OK 1 id-of-one\r\n'),
    RETR: () => say(`+OK\r\n${wireMessage}`),
    QUIT: () => {
      say('+OK bye\r\n')
      stream.end()
    },
  }
  onLine(stream, (line) => {
    lines.push(line)
    if (pending !== undefined) {
      const take = pending
      pending = undefined
      take(line)
      return
    }
    if (answer?.(line, say) === true) return
    const [keyword = '', ...rest] = line.split(' ')
    const free = ['CAPA', 'AUTH', 'USER', 'PASS', 'QUIT'].includes(keyword)
    if (known || free) (commands[keyword] ?? (() => say('+OK\r\n')))(rest.join(' '))
    else say('-ERR log on first\r\n')
  })
  say(script.greeting ?? '+OK ready\r\n')
  return lines
}
