import { once } from 'node:events'
import { request } from 'node:http'
import { type AddressInfo, createServer, type Server } from 'node:net'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createBodyScanner, defaultHeadLimits, parseResponseHead } from '../src/index.ts'
import { mutatedResponse, validResponse } from './generated-responses.ts'
import { decodeChunks, fieldsOf } from './reading.ts'

/** A final response as somebody read it; `undefined` where it is refused. */
type ReadResponse =
  | {
      readonly status: number
      readonly reason: string
      readonly fields: readonly string[]
      readonly body: string
      readonly complete: boolean
    }
  | undefined

/** Stands behind every sample and must not become part of it, unless the body lasts as long as the connection. */
const nextResponse = 'HTTP/1.1 299 Next\r\nContent-Length: 0\r\n\r\n'

let server: Server
let response: Buffer
beforeAll(async () => {
  server = createServer((socket) => {
    socket.once('data', () => socket.end(response))
    socket.on('error', () => {})
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterAll(async () => {
  server.close()
  await once(server, 'close')
})

async function readByNode(method: string, bytes: Buffer): Promise<ReadResponse> {
  response = bytes
  const { port } = server.address() as AddressInfo
  return new Promise((resolve) => {
    const sent = request({ port, host: '127.0.0.1', method, agent: false }, (answer) => {
      let body = ''
      answer.setEncoding('latin1').on('data', (text: string) => (body += text))
      const finish = (): void =>
        resolve({
          status: answer.statusCode ?? 0,
          reason: answer.statusMessage ?? '',
          fields: answer.rawHeaders,
          body,
          complete: answer.complete,
        })
      answer.on('close', finish).on('error', () => {})
    })
    sent.on('error', () => resolve(undefined)).end()
  })
}

function readByUs(method: string, bytes: Buffer): ReadResponse {
  for (let at = 0; ;) {
    const result = parseResponseHead(bytes, at, method, defaultHeadLimits)
    if (result.state !== 'complete') return undefined
    const { head } = result
    at += head.bytes
    if (head.status < 200) continue
    const scanner = createBodyScanner(head.framing)
    const end = scanner.scan(bytes, at)
    if (end < 0) return undefined
    const raw = bytes.toString('latin1', at, end)
    const complete = scanner.done || head.framing.kind === 'until-close'
    const body = head.framing.kind === 'chunked' ? (complete ? decodeChunks(raw) : '') : raw
    return { status: head.status, reason: head.reason, fields: fieldsOf(head), body, complete }
  }
}

async function compare(method: string, text: string): Promise<{ ours: ReadResponse; theirs: ReadResponse }> {
  const bytes = Buffer.from(text + nextResponse, 'latin1')
  return { ours: readByUs(method, bytes), theirs: await readByNode(method, bytes) }
}

/** Node decodes the part of a body that has arrived; only whole ones are compared. */
function comparable(read: ReadResponse): unknown {
  return read?.complete === false ? { ...read, body: undefined } : read
}

const method = fc.constantFrom('GET', 'GET', 'HEAD', 'POST')

describe('a response that we accept is refused or read the same by llhttp', () => {
  it('when it is generated with everything that is allowed', async () => {
    let read = 0
    await fc.assert(
      fc.asyncProperty(method, validResponse, async (of, text) => {
        const { ours, theirs } = await compare(of, text)
        if (ours === undefined) throw new Error('we do not accept it')
        if (theirs === undefined) return
        read += 1
        expect(comparable(theirs)).toEqual(comparable(ours))
      }),
      { numRuns: 500 },
    )
    expect(read).toBeGreaterThan(200)
  })

  it('when it is generated with faults', async () => {
    let read = 0
    await fc.assert(
      fc.asyncProperty(method, mutatedResponse, async (of, text) => {
        const { ours, theirs } = await compare(of, text)
        if (ours === undefined || theirs === undefined) return
        read += 1
        expect(comparable(theirs)).toEqual(comparable(ours))
      }),
      { numRuns: 1000 },
    )
    expect(read).toBeGreaterThan(100)
  })
})
