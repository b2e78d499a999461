import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { startHttpBackend } from '../conformance/backends.ts'
import { openRawClient, readAnswer } from '@sallyport/conformance/cases'
import { startRig } from '../conformance/rig.ts'
import { openCrowd } from './crowd.ts'

const many = 10_000

/** What the system lets one process open; the crowd is another process. */
const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { soft: number | 'unlimited' } } }
const descriptors = userLimits?.open_files?.soft ?? 'unlimited'
const tooFew = descriptors !== 'unlimited' && descriptors < many + 500
if (tooFew)
  process.stderr.write(`skipped: ${many} connections need more than the ${descriptors} descriptors that a process may open here\n`)

describe.skipIf(tooFew)('ten thousand half-open connections', () => {
  it.each([
    ['http', Buffer.from('GET http://erp.demo/ HTTP/1.1\r\nHost: erp.demo\r\nX-Slow: ')],
    ['socks5', Buffer.from([5, 1, 0x80, 1, 0, 0, 0xff, 0xff, 0x61])],
  ] as const)('leave the %s listener serving, in bounded memory', async (name, bytes) => {
    await using backend = await startHttpBackend()
    await using rig = await startRig()
    await rig.connect({ mappings: { 'erp.demo:80': backend.port } })
    const before = process.memoryUsage().rss
    await using crowd = await openCrowd(name === 'http' ? rig.http : rig.socks, many, bytes)
    while (rig.proxy.counters()[name].pending < many) await nextTurn()
    // A connection costs its socket and a few closures, wherever it stands.
    expect(process.memoryUsage().rss - before).toBeLessThan(many * 24_000)
    await using client = await openRawClient(rig.http)
    client.write(`GET http://erp.demo/ HTTP/1.1\r\nHost: erp.demo\r\nProxy-Authorization: ${rig.bearer()}\r\n\r\n`)
    expect((await readAnswer(client)).status).toBe(200)
    expect(await crowd.count()).toBe(many)
  })
})

describe('limits of a listener', () => {
  it('turns connections away at once when too many have not been admitted, and takes new ones when there is room', async () => {
    await using rig = await startRig({ limits: { maxPendingConnections: 3 } })
    await using first = await openRawClient(rig.socks)
    await using second = await openRawClient(rig.socks)
    await using third = await openRawClient(rig.socks)
    while (rig.proxy.counters().socks5.pending < 3) await nextTurn()
    await using fourth = await openRawClient(rig.socks)
    await fourth.ended
    expect(rig.proxy.counters().socks5.turnedAway).toBe(1)
    third.socket.end()
    await third.ended
    while (rig.proxy.counters().socks5.pending > 2) await nextTurn()
    await using fifth = await openRawClient(rig.socks)
    fifth.write(Buffer.from([5, 1, 0x80]))
    expect((await fifth.take(2)).toString('hex')).toBe('0580')
    expect([first.socket.destroyed, second.socket.destroyed]).toEqual([false, false])
  })

  it('counts an admitted connection no longer as pending', async () => {
    await using backend = await startHttpBackend()
    await using rig = await startRig({ limits: { maxPendingConnections: 1 } })
    await rig.connect({ mappings: { 'erp.demo:80': backend.port } })
    const request = `GET http://erp.demo/ HTTP/1.1\r\nHost: erp.demo\r\nProxy-Authorization: ${rig.bearer()}\r\n\r\n`
    await using first = await openRawClient(rig.http)
    first.write(request)
    await readAnswer(first)
    await using second = await openRawClient(rig.http)
    second.write(request)
    expect((await readAnswer(second)).status).toBe(200)
    expect(rig.proxy.counters().http).toMatchObject({ open: 2, pending: 0 })
  })

  it('turns connections away at once when there are too many altogether', async () => {
    await using rig = await startRig({ limits: { maxConnections: 1 } })
    await using first = await openRawClient(rig.http)
    while (rig.proxy.counters().http.open < 1) await nextTurn()
    await using second = await openRawClient(rig.http)
    await second.ended
    expect(first.socket.destroyed).toBe(false)
  })

  it('holds a bounded number of bytes of unfinished heads for all connections together', async () => {
    await using rig = await startRig({ limits: { maxPendingBytes: 40_000 } })
    const opening = `GET http://erp.demo/ HTTP/1.1\r\nHost: erp.demo\r\n${`X-Fill: ${'x'.repeat(7000)}\r\n`.repeat(2)}`
    const clients = await Promise.all(Array.from({ length: 4 }, () => openRawClient(rig.http)))
    for (const client of clients) client.write(opening)
    // Two heads of 14 kB fit, a third does not.
    while (rig.proxy.counters().http.open > 2) await nextTurn()
    expect(clients.filter((client) => client.socket.destroyed || client.socket.readableEnded).length).toBeLessThanOrEqual(2)
    const survivor = clients.find((client) => !client.socket.destroyed && !client.socket.readableEnded)
    survivor?.write('\r\n')
    expect(await survivor?.read('\r\n')).toContain(' 407 ')
    for (const client of clients) await client[Symbol.asyncDispose]()
  })
})
