import { createDechunker, type RequestHead } from '@sallyport/http-head'
import { maxHeldBodyBytes, maxInspectedBodyBytes, soapReadingStepBytes } from '../limits.ts'
import { decodeXml } from './soap-encoding.ts'
import { readSoapFunction, type SoapReading } from './soap-function.ts'

/** The result of an inspection. */
export type SoapVerdict = Exclude<SoapReading, 'more'>

/** Holds the beginning of a body back until it tells which function it calls. */
export interface SoapInspection {
  /** The pieces of the body so far, as they came: they go to the backend when the function is allowed. */
  readonly held: readonly Buffer[]
  /** Takes the next piece; the result as soon as there is one. */
  read(piece: Buffer): SoapVerdict | undefined
  /** Nothing follows. */
  end(): SoapVerdict
}

/** Why the body of a request cannot be read, or `undefined`. */
export function explainUnreadable(head: RequestHead): string | undefined {
  if (head.method !== 'POST') return 'only POST calls functions'
  const coding = headersOf(head, 'content-encoding')
  if (coding.length > 0 && !(coding.length === 1 && coding[0]?.toLowerCase() === 'identity')) return 'its body is compressed'
  // Two could each be believed by somebody.
  return headersOf(head, 'content-type').length > 1 ? 'it has two content types' : undefined
}

/** Begins to inspect the body of a request. */
export function inspectSoap(head: RequestHead): SoapInspection {
  const contentType = headersOf(head, 'content-type')[0] ?? ''
  const dechunker = head.framing.kind === 'chunked' ? createDechunker() : undefined
  const held: Buffer[] = []
  const content: Buffer[] = []
  let heldBytes = 0
  let bytes = 0
  let readBytes = 0

  /** Reads what may be read: a name behind that is as good as none. */
  const reading = (hasEnded: boolean): SoapVerdict | undefined => {
    readBytes = bytes
    const isWhole = hasEnded && bytes <= maxInspectedBodyBytes
    const decoded = decodeXml(Buffer.concat(content, bytes).subarray(0, maxInspectedBodyBytes), contentType, isWhole)
    const result = 'refused' in decoded ? decoded : readSoapFunction(decoded.text, isWhole)
    if (result !== 'more') return result
    return bytes >= maxInspectedBodyBytes ? { refused: `its first ${maxInspectedBodyBytes} bytes name no function` } : undefined
  }
  const take = (piece: Buffer): void => {
    content.push(piece)
    bytes += piece.length
  }
  return {
    held,
    read(piece) {
      held.push(piece)
      heldBytes += piece.length
      if (heldBytes > maxHeldBodyBytes) return { refused: `its first ${maxHeldBodyBytes} bytes, framing included, name no function` }
      if (dechunker === undefined) take(piece)
      else dechunker.feed(piece, 0, piece.length, take)
      // Reading begins anew each time: in steps, so that single bytes do not cost the square of their number.
      return bytes - readBytes < soapReadingStepBytes ? undefined : reading(false)
    },
    end: () => reading(true) ?? { refused: 'it ends before it names a function' },
  }
}

function headersOf(head: RequestHead, name: string): readonly string[] {
  return head.lines
    .filter((line) => line.slice(0, name.length + 1).toLowerCase() === `${name}:`)
    .map((line) => line.slice(name.length + 1).trim())
}
