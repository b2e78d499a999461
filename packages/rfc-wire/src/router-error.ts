import { maxRouterErrorBytes } from './limits.ts'
import { isRefused, type Refused, refuse } from './refusal.ts'
import { formatLayout, readLayout } from './record-layout.ts'

/** What a SAProuter says instead of routing: protocols.md 11.3. */
export interface RouterError {
  readonly niVersion: number
  /** 0 error; others are messages among SAProuters. */
  readonly opcode: number
  /** See {@link niReturnCodeName}. */
  readonly returnCode: number
  /** What SAProuter says in words; `''` if nothing. Characters that are not printable are question marks. */
  readonly text: string
  /** Component, release, module, line, time and the like, as far as they were sent. */
  readonly details: Readonly<Partial<Record<RouterErrorDetail, string>>>
}

/** The strings of an error between its two markers, in their order. */
const detailNames = [
  'counter',
  'text',
  'returnCode',
  'component',
  'release',
  'version',
  'module',
  'line',
  'detail',
  'time',
  'systemCall',
  'errno',
  'errnoText',
  'errorCount',
  'location',
] as const

/** One of the strings of an error. */
export type RouterErrorDetail = (typeof detailNames)[number]

const marker = '*ERR*'

const headLayout = {
  name: 'SAProuter error',
  size: 20,
  constants: [[0, '4e495f525445525200']],
  fields: { niVersion: [9, 'u8'], opcode: [10, 'u8'], returnCode: [12, 'i32'], textBytes: [16, 'u32'] },
} as const

/** Whether a frame is an answer of a SAProuter that did not route. */
export function isRouterError(payload: Buffer): boolean {
  return payload.toString('latin1', 0, 9) === 'NI_RTERR\0'
}

/** Reads an error record; the four bytes that follow the text may be missing. */
export function parseRouterError(payload: Buffer): RouterError | Refused {
  const head = readLayout(headLayout, payload)
  if (isRefused(head)) return head
  const { niVersion, opcode, returnCode, textBytes } = head
  const rest = payload.length - headLayout.size - textBytes
  if (textBytes > maxRouterErrorBytes || (rest !== 0 && rest !== 4)) return refuse('SAProuter error: length of the text')
  const strings = payload
    .toString('latin1', headLayout.size, headLayout.size + textBytes)
    .replaceAll(/[^\0\x20-\x7e]/g, '?')
    .split('\0')
  const from = strings.indexOf(marker) + 1
  const to = strings.indexOf(marker, from)
  const inside = from === 0 ? [] : strings.slice(from, to < 0 ? undefined : to)
  const details: Partial<Record<RouterErrorDetail, string>> = {}
  for (const [at, name] of detailNames.entries()) {
    const value = inside[at]
    if (value !== undefined && value !== '') details[name] = value
  }
  return { niVersion, opcode, returnCode, text: details.text ?? '', details }
}

/**
 * Renders an error record, for peers that play SAProuter.
 *
 * @throws TypeError for details that are not printable and for more text than is read.
 */
export function formatRouterError(error: Pick<RouterError, 'returnCode' | 'details'> & Partial<Pick<RouterError, 'opcode'>>): Buffer {
  const strings = detailNames.map((name) => error.details[name] ?? '')
  while (strings.at(-1) === '') strings.pop()
  if (strings.some((value) => !/^[\x20-\x7e]*$/.test(value) || value === marker))
    throw new TypeError('a detail of the error is not printable')
  const text = Buffer.from(`${[marker, ...strings, marker].join('\0')}\0`, 'latin1')
  if (text.length > maxRouterErrorBytes) throw new TypeError(`the text of the error is longer than ${maxRouterErrorBytes} bytes`)
  const head = { niVersion: 40, opcode: error.opcode ?? 0, returnCode: error.returnCode, textBytes: text.length }
  return Buffer.concat([formatLayout(headLayout, head), text, Buffer.alloc(4)])
}
