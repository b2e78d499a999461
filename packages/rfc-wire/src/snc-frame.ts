import { readLayout } from './record-layout.ts'
import { isRefused, type Refused, refuse } from './refusal.ts'

/** The readable part of a frame of Secure Network Communications; token and data need SAP's cryptography. */
export interface SncFrame {
  /** 1 init request, 2 init, 3 init acknowledge, 4 accept, 7 open, 8 integrity, 9 privacy, 10 shutdown, 12 rejected, 13 error. */
  readonly type: number
  readonly version: number
  readonly tokenBytes: number
  readonly dataBytes: number
  readonly mechanism: number
  readonly flags: number
}

const eyecatcher = 'SNCFRAME'

const layout = {
  name: 'SNC frame',
  size: 24,
  constants: [[0, '534e434652414d45']],
  fields: {
    type: [8, 'u8'],
    version: [9, 'u8'],
    headerBytes: [10, 'u16'],
    tokenBytes: [12, 'u32'],
    dataBytes: [16, 'u32'],
    mechanism: [20, 'u16'],
    flags: [22, 'u16'],
  },
} as const

/** Whether the payload of a message is an SNC frame, by its first bytes. */
export function isSncFrame(payload: Buffer): boolean {
  return payload.toString('latin1', 0, eyecatcher.length) === eyecatcher
}

/** Reads the header of a frame; its lengths have to add up to the payload. */
export function parseSncFrame(payload: Buffer): SncFrame | Refused {
  const header = readLayout(layout, payload)
  if (isRefused(header)) return header
  const { headerBytes, ...frame } = header
  if (frame.version !== 5 && frame.version !== 6) return refuse(`SNC frame: version ${frame.version}`)
  if (headerBytes < layout.size || headerBytes + frame.tokenBytes + frame.dataBytes !== payload.length) return refuse('SNC frame: lengths')
  return frame
}
