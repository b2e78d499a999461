import { skipUnless } from '@sallyport/real-backends'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mutatedRequest, validRequest } from '../conformance/generated-requests.ts'
import { disagreement, type Reading, readByUs, type ReadRequest, sentinel } from '../conformance/reading.ts'
import { smugglingTricks } from '../conformance/smuggling-tricks.ts'
import { parseRequestTarget } from '../src/index.ts'
import { type NginxReader, reportedHost, reportedUri, startNginxReader } from './nginx-reader.ts'

/** What nginx replaces or consumes as the next hop, and what it reports. */
const notForwarded: ReadonlySet<string> = new Set(
  `connection content-length expect host keep-alive te transfer-encoding upgrade ${reportedUri} ${reportedHost}`.split(' '),
)

/** nginx ignores headers with other characters in their names. */
const nameForNginx = /^[0-9A-Za-z_-]+$/

function forwardedFields(request: ReadRequest): string {
  const kept: string[] = []
  for (let at = 0; at + 1 < request.fields.length; at += 2) {
    const name = request.fields[at] ?? ''
    if (nameForNginx.test(name) && !notForwarded.has(name.toLowerCase())) kept.push(`${name}: ${request.fields[at + 1]}`)
  }
  return kept.join('\n')
}

function fieldOf(request: ReadRequest, name: string): string | undefined {
  const at = request.fields.findIndex((field, index) => index % 2 === 0 && field.toLowerCase() === name)
  return at < 0 ? undefined : request.fields[at + 1]
}

/** `$host` of nginx: lower case, without port and final dot; IPv6 with brackets. */
function hostForNginx(host: string): string {
  return host.includes(':') ? `[${host}]` : host.replace(/\.$/, '')
}

function sameHead(mine: ReadRequest, theirs: ReadRequest): boolean {
  const target = parseRequestTarget(mine.target)
  // A target in none of the forms is refused by whoever routes the request, not by the head parser.
  if (target === undefined) return true
  if (target.form !== 'origin' && target.form !== 'absolute') return false
  if (target.form === 'absolute' && fieldOf(theirs, reportedHost) !== hostForNginx(target.host)) return false
  return (
    mine.method === theirs.method &&
    // Of an absolute form without a path it reports the query only.
    [target.path, target.path.slice(1)].includes(fieldOf(theirs, reportedUri) ?? '') &&
    (fieldOf(mine, 'host') ?? '') === (fieldOf(theirs, 'host') ?? '') &&
    forwardedFields(mine) === forwardedFields(theirs)
  )
}

describe.skipIf(skipUnless('nginx'))('what we accept is refused or read the same by nginx', () => {
  let nginx: NginxReader
  beforeAll(async () => {
    nginx = await startNginxReader()
  })
  afterAll(async () => {
    await nginx[Symbol.asyncDispose]()
  })

  async function compare(text: string): Promise<{ ours: Reading; theirs: Reading; difference: string | undefined }> {
    const bytes = Buffer.concat([Buffer.from(text, 'latin1'), sentinel])
    const ours = readByUs(bytes)
    const theirs = await nginx.read(bytes)
    return { ours, theirs, difference: disagreement(ours, theirs, sameHead) }
  }

  it.each(smugglingTricks)('$title', async ({ text, accepted }) => {
    const { ours, difference } = await compare(text)
    expect(ours.requests[0]?.state ?? 'refused').toBe(accepted ? 'complete' : 'refused')
    expect(difference).toBeUndefined()
  })

  it('in generated requests with everything that is allowed', async () => {
    let read = 0
    await fc.assert(
      fc.asyncProperty(validRequest, async ({ head, body }) => {
        const { ours, theirs, difference } = await compare(head + body)
        if (ours.requests[0]?.state !== 'complete') throw new Error(`we do not accept it: ${JSON.stringify(ours)}`)
        if (theirs.requests.length > 0) read += 1
        if (difference !== undefined) throw new Error(difference)
      }),
      { numRuns: 600 },
    )
    expect(read).toBeGreaterThan(150)
  })

  it('in generated requests with faults', async () => {
    let read = 0
    await fc.assert(
      fc.asyncProperty(mutatedRequest, async (text) => {
        const { ours, theirs, difference } = await compare(text)
        if (ours.requests.length > 0 && theirs.requests.length > 0) read += 1
        if (difference !== undefined) throw new Error(difference)
      }),
      { numRuns: 1500 },
    )
    expect(read).toBeGreaterThan(50)
  })
})
