import { MalformedBer, readHeader } from './ber.ts'

const sequence = 0x30

/**
 * Cuts a byte stream into LDAP messages, each handed on whole. A length is judged as soon as it is there, before anything is collected for it.
 *
 * @throws MalformedBer from the returned function, when the bytes cannot be LDAP or announce more than `maxBytes`.
 */
export function splitMessages(maxBytes: number, onMessage: (message: Buffer) => void): (chunk: Buffer) => void {
  let chunks: Buffer[] = []
  let held = 0
  let needed = 1
  return (chunk) => {
    chunks.push(chunk)
    held += chunk.length
    while (held >= needed) {
      const rest = chunks.length === 1 ? (chunks[0] ?? chunk) : Buffer.concat(chunks)
      if (rest.readUInt8(0) !== sequence) throw new MalformedBer('the bytes are not LDAP')
      const header = readHeader(rest, 0)
      if (header !== undefined && header.end > maxBytes) throw new MalformedBer(`a message is longer than ${maxBytes} bytes`)
      if (header === undefined || held < header.end) {
        chunks = [rest]
        needed = header?.end ?? held + 1
        return
      }
      chunks = held === header.end ? [] : [rest.subarray(header.end)]
      held -= header.end
      needed = 1
      onMessage(rest.subarray(0, header.end))
    }
  }
}
