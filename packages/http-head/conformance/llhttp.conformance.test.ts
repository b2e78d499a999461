import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mutatedRequest, validRequest } from './generated-requests.ts'
import { type NodeReader, startNodeReader } from './node-reader.ts'
import { disagreement, type Reading, readByUs, type ReadRequest, sentinel } from './reading.ts'
import { smugglingTricks } from './smuggling-tricks.ts'

let node: NodeReader
beforeAll(async () => {
  node = await startNodeReader()
})
afterAll(async () => {
  await node[Symbol.asyncDispose]()
})

const sameHead = (mine: ReadRequest, other: ReadRequest): boolean =>
  mine.method === other.method && mine.target === other.target && JSON.stringify(mine.fields) === JSON.stringify(other.fields)

async function compare(text: string): Promise<{ ours: Reading; theirs: Reading; difference: string | undefined }> {
  const bytes = Buffer.concat([Buffer.from(text, 'latin1'), sentinel])
  const ours = readByUs(bytes)
  const theirs = await node.read(bytes)
  return { ours, theirs, difference: disagreement(ours, theirs, sameHead) }
}

describe('what we accept is read the same by llhttp', () => {
  it.each(smugglingTricks)('$title', async ({ text, accepted }) => {
    const { ours, theirs, difference } = await compare(text)
    expect(ours.requests[0]?.state ?? 'refused').toBe(accepted ? 'complete' : 'refused')
    expect(difference).toBeUndefined()
    // A sample that llhttp refused would prove nothing about those that we accept.
    expect(accepted ? theirs.requests[0]?.state : 'complete').toBe('complete')
  })

  it('in generated requests with everything that is allowed', async () => {
    let read = 0
    await fc.assert(
      fc.asyncProperty(validRequest, async ({ head, body }) => {
        const { ours, theirs, difference } = await compare(head + body)
        if (ours.requests[0]?.state !== 'complete') throw new Error(`we do not accept it: ${JSON.stringify(ours)}`)
        if (theirs.requests[0]?.state === 'complete') read += 1
        if (difference !== undefined) throw new Error(difference)
      }),
      { numRuns: 800 },
    )
    expect(read).toBeGreaterThan(400)
  })

  it('in generated requests with faults', async () => {
    let read = 0
    await fc.assert(
      fc.asyncProperty(mutatedRequest, async (text) => {
        const { ours, theirs, difference } = await compare(text)
        if (ours.requests.length > 0 && theirs.requests.length > 0) read += 1
        if (difference !== undefined) throw new Error(difference)
      }),
      { numRuns: 3000 },
    )
    expect(read).toBeGreaterThan(200)
  })
})

describe('the comparison', () => {
  const text = 'POST /first HTTP/1.1\r\nHost: erp\r\nContent-Length: 3\r\n\r\nabc'
  const withFirst = (reading: Reading, change: Partial<ReadRequest>): Reading => ({
    ...reading,
    requests: reading.requests.map((request, at) => (at === 0 ? { ...request, ...change } : request)),
  })

  it.each([
    ['another method', { method: 'PUT' }],
    ['another target', { target: '/second' }],
    ['a header less', { fields: ['Host', 'erp'] }],
    ['another body', { body: 'ab' }],
    ['a body that goes on', { state: 'waiting' }],
  ] as const)('notices %s', async (_, change) => {
    const { ours, theirs, difference } = await compare(text)
    expect(difference).toBeUndefined()
    expect(disagreement(withFirst(ours, change), theirs, sameHead)).toMatch(/^a request /)
  })

  it('notices a request that is swallowed or added', async () => {
    const { ours, theirs } = await compare(text)
    expect(disagreement(ours, { requests: theirs.requests.slice(0, 1), end: 'waiting' }, sameHead)).toMatch(/is not read/)
    expect(disagreement({ requests: ours.requests.slice(0, 1), end: 'waiting' }, theirs, sameHead)).toMatch(/followed by what we wait for/)
  })
})
