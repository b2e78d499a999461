import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type RunningService, startService } from './running-service.ts'

let running: RunningService
beforeEach(async () => {
  running = await startService()
  await running.call('POST', collection, { body: { Name: 'd', Type: 'HTTP', URL: 'http://x', B: '1', A: '2' } })
})
afterEach(() => running.close())

const collection = '/v1/subaccountDestinations'

/** Everywhere that an ETag comes from. */
const paths = [`${collection}/d`, '/v1/destinations/d', '/v2/destinations/d@subaccount']

async function etagOf(path: string): Promise<string> {
  return (await running.call('GET', path)).headers.get('etag') ?? ''
}

describe.each(paths)('the ETag of %s', (path) => {
  it('DS-046 is 64 hexadecimal digits, changes with the content and only with it', async () => {
    const first = await etagOf(path)
    expect(first).toMatch(/^[0-9a-f]{64}$/)
    expect(await etagOf(path)).toBe(first)
    await running.call('PUT', collection, { body: { A: '2', B: '1', URL: 'http://x', Type: 'HTTP', Name: 'd' } })
    expect(await etagOf(path)).toBe(first)
    await running.call('PUT', collection, { body: { Name: 'd', Type: 'HTTP', URL: 'http://x', B: '1', A: '3' } })
    expect(await etagOf(path)).not.toBe(first)
  })

  it('DS-047 answers If-None-Match with 304 and no body while it is current', async () => {
    const etag = await etagOf(path)
    for (const value of [etag, `"${etag}"`, `W/"${etag}"`, `"other", ${etag}`, '*']) {
      const answer = await running.call('GET', path, { headers: { 'if-none-match': value } })
      expect(answer).toMatchObject({ status: 304, text: '' })
      expect(answer.headers.get('etag')).toBe(etag)
    }
    await running.call('PUT', collection, { body: { Name: 'd', Type: 'HTTP', URL: 'http://y' } })
    expect((await running.call('GET', path, { headers: { 'if-none-match': etag } })).status).toBe(200)
  })

  it('DS-048 answers If-Match with 412 and the current one when it is old', async () => {
    const etag = await etagOf(path)
    expect((await running.call('GET', path, { headers: { 'if-match': etag } })).status).toBe(200)
    const refused = await running.call('GET', path, { headers: { 'if-match': `"${'0'.repeat(64)}"` } })
    expect(refused).toMatchObject({ status: 412, json: { ErrorMessage: expect.any(String) as string } })
    expect(refused.headers.get('etag')).toBe(etag)
    expect((await running.call('GET', path, { headers: { 'if-match': `x, ${etag}` } })).status).toBe(200)
  })
})
