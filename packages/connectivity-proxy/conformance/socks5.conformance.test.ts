import { existsSync, readFileSync } from 'node:fs'
import { createManualClock } from '@sallyport/test-fixtures'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RawBackend, startRawBackend } from './backends.ts'
import { openRawClient, type RawClient } from '@sallyport/conformance/cases'
import { type Rig, type RigConnector, startRig } from './rig.ts'

let rig: Rig
let backend: RawBackend
let connector: RigConnector

beforeAll(async () => {
  backend = await startRawBackend((socket) => socket.on('data', (chunk) => socket.write(chunk)).on('end', () => socket.end()))
  rig = await startRig()
  connector = await rig.connect({
    mappings: { 'echo.demo:7': backend.port, '10.0.0.7:7': backend.port, 'down.demo:7': 'unreachable', 'closed.demo:7': 1 },
  })
})
afterAll(async () => {
  await rig[Symbol.asyncDispose]()
  await backend[Symbol.asyncDispose]()
})

function tokenMessage(token: string, location = ''): Buffer {
  const encoded = Buffer.from(location).toString('base64')
  const head = Buffer.alloc(5)
  head[0] = 1
  head.writeUInt32BE(token.length, 1)
  return Buffer.concat([head, Buffer.from(token), Buffer.from([encoded.length]), Buffer.from(encoded)])
}

function request(host: string, port: number, command = 1): Buffer {
  return Buffer.concat([Buffer.from([5, command, 0, 3, host.length]), Buffer.from(host), Buffer.from([port >> 8, port & 255])])
}

async function hex(client: RawClient, bytes: number): Promise<string> {
  return (await client.take(bytes)).toString('hex')
}

/** A client behind method and token. */
async function admitted(token: string = rig.issuer.technical(), location = '', port: number = rig.socks): Promise<RawClient> {
  const client = await openRawClient(port)
  client.write(Buffer.from([5, 1, 0x80]))
  expect(await hex(client, 2)).toBe('0580')
  client.write(tokenMessage(token, location))
  expect(await hex(client, 2)).toBe('0100')
  return client
}

/** A client that is joined to the backend of `echo.demo`. */
async function joined(): Promise<RawClient> {
  const client = await admitted()
  client.write(request('echo.demo', 7))
  expect(await hex(client, 10)).toBe('05000001000000000000')
  return client
}

/** What a client gets to see of a target, up to the end of the connection. */
async function replyTo(message: Buffer, location = ''): Promise<string> {
  await using client = await admitted(undefined, location)
  client.write(message)
  expect(await client.ended).toBe('end')
  return Buffer.from(client.text, 'latin1').subarray(4).toString('hex')
}

describe('method', () => {
  it('CL-140 it is picked whenever it is offered, even where no token is needed', async () => {
    await using own = await startRig({ authorization: false, tenancy: { mode: 'dedicated', subaccount: 'demo' } })
    for (const port of [rig.socks, own.socks]) {
      await using client = await openRawClient(port)
      client.write(Buffer.from([5, 2, 0, 0x80]))
      expect(await hex(client, 2)).toBe('0580')
    }
    await using refused = await openRawClient(rig.socks)
    refused.write(Buffer.from([5, 1, 0]))
    expect(await hex(refused, 2)).toBe('05ff')
  })

  it('dedicated and trusted: no authentication is enough, and so is an empty token', async () => {
    await using own = await startRig({ authorization: false, tenancy: { mode: 'dedicated', subaccount: 'demo' } })
    await own.connect({ mappings: { 'echo.demo:7': backend.port } })
    await using plain = await openRawClient(own.socks)
    plain.write(Buffer.from([5, 1, 0]))
    expect(await hex(plain, 2)).toBe('0500')
    plain.write(request('echo.demo', 7))
    expect(await hex(plain, 10)).toBe('05000001000000000000')
    await using empty = await admitted('', '', own.socks)
    empty.write(request('echo.demo', 7))
    expect(await hex(empty, 10)).toBe('05000001000000000000')
  })

  it('shared and trusted: the token of any client tells the tenant', async () => {
    await using own = await startRig({ authorization: false })
    const mine = await own.connect({ subaccount: 'other', mappings: { 'echo.demo:7': backend.port } })
    await using client = await admitted(own.issuer.technical({ zid: 'other', cid: 'any', client_id: 'any' }), '', own.socks)
    client.write(request('echo.demo', 7))
    expect(await hex(client, 10)).toBe('05000001000000000000')
    expect(mine.openings[0]).toMatchObject({ kind: 'tcp', subaccount: 'other', application: 'any' })
  })
})

describe('token', () => {
  it.each([
    ['no token', () => tokenMessage('')],
    ['garbage', () => tokenMessage('nonsense')],
    ['an expired token', () => tokenMessage(rig.issuer.technical({ exp: 1000 }))],
    ['the token of another client', () => tokenMessage(rig.issuer.technical({ cid: 'x', client_id: 'x', azp: 'x' }))],
    ['a token without tenant', () => tokenMessage(rig.issuer.technical({ zid: undefined }))],
    ['another sub-version', () => Buffer.concat([Buffer.from([2]), tokenMessage(rig.issuer.technical()).subarray(1)])],
  ])('CP-065 %s is answered 01 05, and closed', async (_, message) => {
    await using client = await openRawClient(rig.socks)
    client.write(Buffer.from([5, 1, 0x80]))
    await client.take(2)
    client.write(message())
    expect(await client.ended).toBe('end')
    expect(Buffer.from(client.text, 'latin1').subarray(2).toString('hex')).toBe('0105')
  })

  it('CP-066 CL-142 the location is Base64 of UTF-8, and its length counts Base64 characters', async () => {
    const cologne = await rig.connect({ locationId: 'Köln', mappings: { 'echo.demo:7': backend.port } })
    await using client = await admitted(undefined, 'Köln')
    client.write(request('echo.demo', 7))
    expect(await hex(client, 10)).toBe('05000001000000000000')
    expect(cologne.openings).toEqual([expect.objectContaining({ locationId: 'Köln' })])
  })

  it('CP-067 252 characters of Base64 work, invalid Base64 fails', async () => {
    const locationId = 'x'.repeat(189)
    const far = await rig.connect({ locationId, mappings: { 'echo.demo:7': backend.port } })
    expect(Buffer.from(locationId).toString('base64')).toHaveLength(252)
    await using client = await admitted(undefined, locationId)
    client.write(request('echo.demo', 7))
    expect(await hex(client, 10)).toBe('05000001000000000000')
    expect(far.openings).toHaveLength(1)
    await using broken = await openRawClient(rig.socks)
    const message = tokenMessage(rig.issuer.technical(), 'orlando')
    message[message.length - 3] = 0x2a
    broken.write(Buffer.concat([Buffer.from([5, 1, 0x80]), message]))
    expect(await broken.ended).toBe('end')
    expect(Buffer.from(broken.text, 'latin1').toString('hex')).toBe('05800105')
  })

  it('CP-068 a length above the cap fails at once, without memory of that size', async () => {
    await using client = await openRawClient(rig.socks)
    const before = process.memoryUsage().arrayBuffers
    client.write(Buffer.from([5, 1, 0x80, 1, 0x7f, 0xff, 0xff, 0xff]))
    expect(await client.ended).toBe('end')
    expect(Buffer.from(client.text, 'latin1').toString('hex')).toBe('05800105')
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 << 20)
  })
})

describe('target', () => {
  it('CP-074 CP-075 CP-076 no mapping is 02, no connector or location 03, an unreachable backend 04', async () => {
    expect(await replyTo(request('unknown.demo', 7))).toBe('05020001000000000000')
    expect(await replyTo(request('echo.demo', 7), 'nowhere')).toBe('05030001000000000000')
    expect(await replyTo(request('down.demo', 7))).toBe('05040001000000000000')
    await using client = await admitted(rig.issuer.technical({ zid: 'lonely' }))
    client.write(request('echo.demo', 7))
    expect(await hex(client, 10)).toBe('05030001000000000000')
  })

  it('CL-143 every refusal has the code that mail clients translate', async () => {
    expect((await replyTo(request('unknown.demo', 7))).slice(2, 4)).toBe('02')
    expect((await replyTo(request('echo.demo', 7), 'nowhere')).slice(2, 4)).toBe('03')
    expect((await replyTo(request('down.demo', 7))).slice(2, 4)).toBe('04')
    expect((await replyTo(request('echo.demo', 7, 2))).slice(2, 4)).toBe('07')
    expect((await replyTo(Buffer.concat([Buffer.from([5, 1, 0, 4]), Buffer.alloc(18, 1)]))).slice(2, 4)).toBe('08')
    await using refused = await openRawClient(rig.socks)
    refused.write(Buffer.concat([Buffer.from([5, 1, 0x80]), tokenMessage('x')]))
    await refused.ended
    expect(Buffer.from(refused.text, 'latin1').toString('hex')).toBe('05800105')
  })

  it('a malformed target is answered 01', async () => {
    expect(await replyTo(request('host:with:colons', 7))).toBe('05010001000000000000')
    expect(await replyTo(request('echo.demo', 0))).toBe('05010001000000000000')
  })

  it.each([
    ['bytes before the answer', (stream: { write(chunk: Buffer): boolean }) => stream.write(Buffer.from('x'))],
    ['an unknown answer', (stream: { sendMessage(message: Buffer): boolean }) => stream.sendMessage(Buffer.from('{"kind":"perhaps"}'))],
    ['no JSON', (stream: { sendMessage(message: Buffer): boolean }) => stream.sendMessage(Buffer.from('connected'))],
    ['an end', (stream: { end(): void }) => stream.end()],
  ])('a connector that answers with %s gets 01 said', async (_, act) => {
    connector.intercept = (incoming) => {
      act(incoming.accept({ onData: () => true, onEnd: () => {}, onDrain: () => {}, onClose: () => {} }))
      return true
    }
    expect(await replyTo(request('echo.demo', 7))).toBe('05010001000000000000')
    connector.intercept = undefined
  })
})

describe('relay', () => {
  it.skipIf(!existsSync('/proc/net/tcp'))('CP-081 TCP keep-alive is on for accepted sockets', async () => {
    for (const port of [rig.socks, rig.http]) {
      await using client = await openRawClient(port)
      const local = client.socket.localPort ?? 0
      const find = (): string | undefined =>
        readFileSync('/proc/net/tcp', 'utf8')
          .split('\n')
          .find((row) =>
            row.includes(
              `:${port.toString(16).toUpperCase().padStart(4, '0')} 0100007F:${local.toString(16).toUpperCase().padStart(4, '0')} 01`,
            ),
          )
      // The kernel lists a pending keep-alive timer as 02, no timer as 00; its time to go is up to the 60 s we ask for.
      while (find() === undefined) await new Promise((resolve) => setImmediate(resolve))
      const [kind, ticks] = (find() ?? '').trim().split(/\s+/)[5]?.split(':') ?? []
      expect(kind).toBe('02')
      expect(Number.parseInt(ticks ?? '', 16)).toBeGreaterThan(5000)
    }
  })

  it('a greeting waits until the client has had time to attach its reader, or has spoken itself', async () => {
    const clock = createManualClock(Date.now())
    await using smtp = await startRawBackend((socket) => {
      socket.write('220 mail.demo ESMTP\r\n')
      socket.on('data', () => socket.write('250 ok\r\n')).on('end', () => socket.end())
    })
    await using own = await startRig({ clock })
    await own.connect({ mappings: { 'mail.demo:25': smtp.port } })
    const connect = async (): Promise<RawClient> => {
      const client = await admitted(own.issuer.technical(), '', own.socks)
      client.write(request('mail.demo', 25))
      expect(await hex(client, 10)).toBe('05000001000000000000')
      return client
    }
    await using patient = await connect()
    await using eager = await connect()
    eager.write('EHLO me\r\n')
    expect(await eager.read('250 ok\r\n')).toBe('220 mail.demo ESMTP\r\n250 ok\r\n')
    expect(patient.text).not.toContain('220')
    clock.advance(50)
    expect(await patient.read('\r\n')).toBe('220 mail.demo ESMTP\r\n')
  })

  it('the end of the token does not end what is open', async () => {
    const clock = createManualClock(Date.now())
    await using own = await startRig({ clock })
    await own.connect({ mappings: { 'echo.demo:7': backend.port } })
    await using client = await admitted(own.issuer.technical(), '', own.socks)
    client.write(request('echo.demo', 7))
    await client.take(10)
    clock.advance(2 * 3600_000)
    client.write('ping')
    expect((await client.take(4)).toString()).toBe('ping')
  })

  it('a tunnel that breaks cuts the connection', async () => {
    await using own = await startRig()
    const mine = await own.connect({ mappings: { 'echo.demo:7': backend.port } })
    await using client = await admitted(own.issuer.technical(), '', own.socks)
    client.write(request('echo.demo', 7))
    await client.take(10)
    await mine.drop()
    expect(await client.ended).toBe('reset')
  })
})

describe('time', () => {
  it('CL-145 five connections at once are kept; an unfinished handshake ends after 30 s, one that waits for the backend is answered before', async () => {
    const five = await Promise.all([1, 2, 3, 4, 5].map(() => joined()))
    for (const one of five) one.write('hi')
    for (const one of five) expect((await one.take(2)).toString()).toBe('hi')
    for (const one of five) await one[Symbol.asyncDispose]()
    const clock = createManualClock(Date.now())
    await using own = await startRig({ clock })
    const mine = await own.connect()
    mine.intercept = (incoming) => {
      incoming.accept({ onData: () => true, onEnd: () => {}, onDrain: () => {}, onClose: () => {} })
      return true
    }
    await using silent = await openRawClient(own.socks)
    silent.write(Buffer.from([5, 1]))
    await using waiting = await admitted(own.issuer.technical(), '', own.socks)
    waiting.write(request('slow.demo', 7))
    while (mine.openings.length === 0) await new Promise((resolve) => setImmediate(resolve))
    clock.advance(15_000)
    expect(await hex(waiting, 10)).toBe('05040001000000000000')
    clock.advance(14_999)
    expect(own.proxy.counters().socks5.pending).toBeGreaterThan(0)
    clock.advance(1)
    await silent.ended
    expect(silent.text).toBe('')
  })

  it('waits for a connector that dials again', async () => {
    await using own = await startRig()
    const mine = await own.connect({ mappings: { 'echo.demo:7': backend.port } })
    await mine.drop()
    await using client = await admitted(own.issuer.technical(), '', own.socks)
    client.write(request('echo.demo', 7))
    while (own.events.every((event) => event.type !== 'proxy-accepted')) await new Promise((resolve) => setImmediate(resolve))
    await mine.reconnect()
    expect(await hex(client, 10)).toBe('05000001000000000000')
  })
})
