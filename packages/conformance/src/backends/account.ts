import type { Duplex } from 'node:stream'
import { onLine } from './text-lines.ts'

/** How a scripted server behaves. Without an answer of the script the server answers as an account with one message does. */
export interface AccountScript {
  readonly greeting?: string
  readonly capabilities?: string
  /** Whether that response of AUTHENTICATE, decoded, opens the account. Nobody has to log on without it. */
  readonly opens?: (presented: string) => boolean
  readonly answer?: (tag: string, line: string, say: (text: string) => void) => boolean
}

/** What the one message is. */
export const storedMessage: string = 'Subject: hello\r\n\r\nhello\r\n'

/** Plays an IMAP server on a stream. Returns every line that came, to be read later. Written from RFC 3501 and from no code of the product. */
export function playAccount(stream: Duplex, script: AccountScript = {}): string[] {
  const lines: string[] = []
  const { capabilities = 'IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=XOAUTH2', opens, answer } = script
  let pending: ((response: string) => void) | undefined
  const say = (text: string): void => void stream.write(text)
  const knock = (tag: string, presented: string): void =>
    say(
      opens?.(Buffer.from(presented, 'base64').toString('utf8')) === true
        ? `${tag} OK welcome\r\n`
        : `${tag} NO [AUTHENTICATIONFAILED] who is that\r\n`,
    )
  const commands: Readonly<Record<string, (tag: string, rest: string) => void>> = {
    CAPABILITY: (tag) => say(`* CAPABILITY ${capabilities}\r\n${tag} OK done\r\n`),
    AUTHENTICATE(tag, rest) {
      const [, response] = rest.split(' ')
      if (response !== undefined) knock(tag, response)
      else {
        say('+ \r\n')
        pending = (line) => knock(tag, line)
      }
    },
    SELECT: (tag) =>
      say(`* 1 EXISTS\r\n* FLAGS (\\Seen)\r\n* OK [UIDVALIDITY 1] here\r\n* OK [UIDNEXT 8] next\r\n${tag} OK [READ-WRITE] done\r\n`),
    SEARCH: (tag) => say(`* SEARCH 7\r\n${tag} OK done\r\n`),
    FETCH: (tag) => say(`* 1 FETCH (UID 7 FLAGS () BODY[] {${storedMessage.length}}\r\n${storedMessage})\r\n${tag} OK done\r\n`),
    LOGOUT(tag) {
      say(`* BYE see you\r\n${tag} OK done\r\n`)
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
    const [tag = '', first = '', ...rest] = line.split(' ')
    if (answer?.(tag, line.slice(tag.length + 1), say) === true) return
    const [keyword = '', ...args] = first === 'UID' ? rest : [first, ...rest]
    ;(commands[keyword] ?? ((mine: string) => say(`${mine} OK done\r\n`)))(tag, args.join(' '))
  })
  say(script.greeting ?? (opens === undefined ? '* PREAUTH ready\r\n' : '* OK ready\r\n'))
  return lines
}
