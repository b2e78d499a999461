import { setImmediate as nextTurn } from 'node:timers/promises'
import { createManualClock } from '@sallyport/test-fixtures'
import { expect, it } from 'vitest'
import { startHttpBackend } from '../conformance/backends.ts'
import { openRawClient, readAnswer } from '@sallyport/conformance/cases'
import { startRig } from '../conformance/rig.ts'

it('closes a connection whose first head does not end in time, however busy it looks', async () => {
  const clock = createManualClock(Date.now())
  await using rig = await startRig({ clock })
  await using client = await openRawClient(rig.http)
  client.write('GET http://erp.demo/ HTTP/1.1\r\n')
  for (let second = 0; second < 59; second += 1) {
    client.write(`X-${second}: drip\r\n`)
    await nextTurn()
    clock.advance(1000)
  }
  expect(client.socket.destroyed).toBe(false)
  clock.advance(1000)
  await client.ended
})

it('gives a later head the same time, from its first byte on, and an idle connection as long as it likes', async () => {
  const clock = createManualClock(Date.now())
  await using backend = await startHttpBackend()
  await using rig = await startRig({ clock })
  await rig.connect({ mappings: { 'erp.demo:80': backend.port } })
  await using client = await openRawClient(rig.http)
  const request = (): string => `GET http://erp.demo/ HTTP/1.1\r\nHost: erp.demo\r\nProxy-Authorization: ${rig.bearer()}\r\n\r\n`
  client.write(request())
  await readAnswer(client)
  clock.advance(3600_000)
  client.write(request())
  expect((await readAnswer(client)).status).toBe(200)
  client.write('GET http://erp.demo/ HTTP/1.1\r\n')
  const local = rig.proxy.counters().http
  expect(local.open).toBe(1)
  // The head is noticed when its first bytes are read.
  for (let turn = 0; turn < 20; turn += 1) await nextTurn()
  clock.advance(60_000)
  await client.ended
})

it('closes an idle connection after the configured time', async () => {
  const clock = createManualClock(Date.now())
  await using backend = await startHttpBackend()
  await using rig = await startRig({ clock, limits: { idleTimeoutMs: 5000 } })
  await rig.connect({ mappings: { 'erp.demo:80': backend.port } })
  await using client = await openRawClient(rig.http)
  client.write(`GET http://erp.demo/ HTTP/1.1\r\nHost: erp.demo\r\nProxy-Authorization: ${rig.bearer()}\r\n\r\n`)
  await readAnswer(client)
  while (rig.events.every((event) => event.type !== 'request-finished')) await nextTurn()
  clock.advance(4999)
  expect(rig.proxy.counters().http.open).toBe(1)
  clock.advance(1)
  await client.ended
})

it('closes a connection that was only ever refused and then falls silent, so that nobody without a token stays pending', async () => {
  const clock = createManualClock(Date.now())
  await using rig = await startRig({ clock })
  await using client = await openRawClient(rig.http)
  client.write('GET http://erp.demo/ HTTP/1.1\r\nHost: erp.demo\r\n\r\n')
  expect((await readAnswer(client)).status).toBe(407)
  clock.advance(59_999)
  expect(rig.proxy.counters().http.pending).toBe(1)
  clock.advance(1)
  await client.ended
  while (rig.proxy.counters().http.open > 0) await nextTurn()
  expect(rig.proxy.counters().http.pending).toBe(0)
})

it('gives a head that begins at the end of the idle time its own time', async () => {
  const clock = createManualClock(Date.now())
  await using backend = await startHttpBackend()
  await using rig = await startRig({ clock, limits: { idleTimeoutMs: 5000 } })
  await rig.connect({ mappings: { 'erp.demo:80': backend.port } })
  await using client = await openRawClient(rig.http)
  const [line, rest] = ['GET http://erp.demo/ HTTP/1.1\r\n', `Host: erp.demo\r\nProxy-Authorization: ${rig.bearer()}\r\n\r\n`]
  client.write(line + rest)
  await readAnswer(client)
  while (rig.events.every((event) => event.type !== 'request-finished')) await nextTurn()
  clock.advance(4999)
  client.write(line)
  for (let turn = 0; turn < 20; turn += 1) await nextTurn()
  clock.advance(5000)
  client.write(rest)
  expect((await readAnswer(client)).status).toBe(200)
})
