import { consistsOf, isTargetText, tokenBytes } from './character-classes.ts'

/**
 * Renders a request head of version 1.1. `lines` are `Name: value` without line ends, as {@link RequestHead.lines} has them.
 *
 * @throws TypeError when a part would break out of its place: a method or target with anything but its characters, a line without a name, or a carriage
 * return, line feed, NUL or character above U+00FF anywhere. The message never repeats the text.
 */
export function formatRequestHead(method: string, target: string, lines: readonly string[]): Buffer {
  if (method === '' || !consistsOf(method, tokenBytes)) throw new TypeError('the method is not a token')
  if (target === '' || !isTargetText(target)) throw new TypeError('the request target is not visible ASCII')
  return render(`${method} ${target} HTTP/1.1`, lines)
}

/**
 * Renders a response head. `reason` may be empty.
 *
 * @throws TypeError as {@link formatRequestHead} does, and for a status that is not an integer from 100 to 599.
 */
export function formatResponseHead(minorVersion: 0 | 1, status: number, reason: string, lines: readonly string[]): Buffer {
  if (!Number.isInteger(status) || status < 100 || status > 599) throw new TypeError('the status is not between 100 and 599')
  return render(`HTTP/1.${minorVersion} ${status} ${reason}`, lines)
}

/** Never matches a one-byte string, and V8 knows that without looking at its characters. */
const aboveLatin1 = /[^\0-\xff]/

function render(firstLine: string, lines: readonly string[]): Buffer {
  let text = `${firstLine}\r\n`
  for (const line of lines) {
    if (tokenBytes[line.charCodeAt(0)] !== 1 || !line.includes(':')) throw new TypeError('a header line does not begin with a name')
    text += line
    text += '\r\n'
  }
  text += '\r\n'
  // Checked as one string, because above U+00FF `Buffer.from` would cut characters down to bytes, among them to line ends.
  if (aboveLatin1.test(text)) throw new TypeError('a character above U+00FF in a head')
  if (!hasLineEndsOnlyBetween(text, firstLine, lines)) throw new TypeError('a line end or NUL inside a part of a head')
  return Buffer.from(text, 'latin1')
}

/** Whether each carriage return and line feed of the text is one that was put behind a part. */
function hasLineEndsOnlyBetween(text: string, firstLine: string, lines: readonly string[]): boolean {
  let at = firstLine.length
  if (text.indexOf('\r') !== at || text.indexOf('\n') !== at + 1) return false
  for (const line of lines) {
    const end = at + 2 + line.length
    if (text.indexOf('\r', at + 2) !== end || text.indexOf('\n', at + 2) !== end + 1) return false
    at = end
  }
  return !text.includes('\0')
}
