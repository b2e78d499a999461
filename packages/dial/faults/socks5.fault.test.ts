import dns from 'node:dns'
import { once } from 'node:events'
import { inspect } from 'node:util'
import { dialCases, type DialFarSide, runDialCase } from '@sallyport/conformance/cases'
import { type Address, createSecret, type Dial } from '@sallyport/core'
import { createSocketNetwork, createSocksServer, type SocksServerOptions } from '@sallyport/test-fixtures'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createDirectDial, createProxyDial } from '../src/index.ts'

const token = 'header.payload.signature'
const never = new AbortController().signal
const dialTo = (proxy: Address): Dial => createProxyDial({ kind: 'socks5', proxy, token: async () => createSecret(token) })
const opening = { signal: never, locationId: '' }

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** A far side behind the fixture proxy; its virtual hosts have the ports of the peers. */
async function openFarSide(
  options: Partial<SocksServerOptions>,
): Promise<DialFarSide & { attempts: Awaited<ReturnType<typeof createSocksServer>>['attempts'] }> {
  const network = createSocketNetwork()
  const proxy = await createSocksServer({ token, route: (_host, port) => ({ host: '127.0.0.1', port }), ...options })
  return {
    dial: dialTo(proxy.address),
    attempts: proxy.attempts,
    serve: async (handler) => ({ ...(await network.serve(handler)), host: 'peer.virtual' }),
    unused: network.unused,
    async idle() {
      await Promise.all([network.idle(), proxy.idle()])
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([network[Symbol.asyncDispose](), proxy[Symbol.asyncDispose]()])
    },
  }
}

describe('bytes around the handshake', () => {
  it('writes exactly the documented messages, in turn', async () => {
    await using network = createSocketNetwork()
    const written: string[] = []
    const proxy = await network.serve(({ stream }) => {
      const answers = ['0580', '0100', '05000001000000000000']
      stream.on('data', (chunk: Buffer) => {
        written.push(chunk.toString('hex'))
        stream.write(Buffer.from(answers.shift() ?? '', 'hex'))
      })
    })
    const dial = createProxyDial({ kind: 'socks5', proxy, token: async () => createSecret('abc') })
    const stream = await dial({ host: 'virtualhost', port: 1234 }, { signal: never, locationId: 'orlando' })
    stream.destroy()
    expect(written).toEqual(['05020080', '01000000036162630c62334a735957356b62773d3d', '050100030b7669727475616c686f737404d2'])
  })

  it('PR-002 keeps far bytes that arrive in one piece with the reply for a consumer that comes 50 ms later', async () => {
    let proxied = 0
    const open = async (): Promise<DialFarSide> => {
      proxied++
      return openFarSide({ coalesce: true })
    }
    await runDialCase(dialCases['keeps bytes that the far side sends before anybody reads'], { open })
    expect(proxied).toBe(1)
  })

  it('PR-003 leaves the other direction usable after either side has ended', async () => {
    const open = (): Promise<DialFarSide> => openFarSide({})
    await expect(runDialCase(dialCases['lets the far side answer after our side has ended'], { open })).resolves.toBeUndefined()
    await expect(runDialCase(dialCases['still sends after the far side has ended'], { open })).resolves.toBeUndefined()
  })

  it('delivers the end of a far side that said something and ended with the reply', async () => {
    await using far = await openFarSide({ coalesce: true })
    const stream = await far.dial(await far.serve((end) => end.stream.end('bye')), opening)
    const [first] = (await once(stream, 'data')) as [Buffer]
    expect(first.toString()).toBe('bye')
    await once(stream, 'end')
  })

  it('PR-016 sends a host name that is not ASCII in Punycode with the right length', async () => {
    await using far = await openFarSide({})
    const address = await far.serve(() => {})
    const stream = await far.dial({ ...address, host: 'bücher.virtual' }, opening)
    stream.destroy()
    // The fixture reads by the length byte: a wrong one would shift name and port.
    expect(far.attempts[0]).toMatchObject({ host: 'xn--bcher-kva.virtual', addressType: 3, port: address.port })
  })

  it('sends an IPv4 host as four bytes and an upper-case name as it is', async () => {
    await using far = await openFarSide({})
    const { port } = await far.serve(() => {})
    for (const host of ['10.20.30.40', 'ERP.Virtual']) (await far.dial({ host, port }, opening)).destroy()
    expect(far.attempts).toMatchObject([
      { addressType: 1, host: '10.20.30.40' },
      { addressType: 3, host: 'ERP.Virtual' },
    ])
    await expect(far.dial({ host: 'fd00::1', port }, opening)).rejects.toMatchObject({ code: 'MESSAGE_INVALID' })
  })

  it('PR-009 looks no on-premise host name up', async () => {
    const lookups = [vi.spyOn(dns, 'lookup'), vi.spyOn(dns.promises, 'lookup'), vi.spyOn(dns, 'resolve'), vi.spyOn(dns.promises, 'resolve')]
    // Listening looks "127.0.0.1" up; names are what counts.
    const names = (): unknown[] => lookups.flatMap((spy) => spy.mock.calls.map((call) => call[0])).filter((name) => name !== '127.0.0.1')
    await using far = await openFarSide({})
    const address = await far.serve(() => {})
    const stream = await far.dial({ ...address, host: 'erp.virtual' }, opening)
    stream.destroy()
    expect(names()).toEqual([])
    // The spies do see a dial that looks names up.
    const direct = await createDirectDial()({ host: 'localhost', port: address.port }, opening)
    direct.destroy()
    expect(names()).toEqual(['localhost'])
  })
})

describe('tokens', () => {
  it('PR-007 asks for the token once for each connection and presents the one it just got', async () => {
    await using network = createSocketNetwork()
    const backend = await network.serve(() => {})
    const tokens = ['first.token.x', 'second.token.x', 'third.token.x']
    await using proxy = await createSocksServer({ token: 'second.token.x', route: () => backend })
    let asked = 0
    const dial = createProxyDial({ kind: 'socks5', proxy: proxy.address, token: async () => createSecret(tokens[asked++] ?? '') })
    // The proxy takes only the second one: neither is the first kept nor the third fetched ahead.
    await expect(dial({ host: 'v', port: 1 }, opening)).rejects.toMatchObject({ code: 'PROXY_AUTHORIZATION_REQUIRED' })
    const stream = await dial({ host: 'v', port: 1 }, opening)
    stream.destroy()
    expect(asked).toBe(2)
    await expect(dial({ host: 'v', port: 1 }, opening)).rejects.toMatchObject({ code: 'PROXY_AUTHORIZATION_REQUIRED' })
    expect(asked).toBe(3)
  })

  it('PR-015 fails the connection when there is no token, without an unhandled rejection', async () => {
    const unhandled: unknown[] = []
    const listener = (reason: unknown): number => unhandled.push(reason)
    process.on('unhandledRejection', listener)
    await using network = createSocketNetwork()
    const proxy = await network.serve(() => {})
    for (const source of [
      () => Promise.reject(new Error('no token today')),
      () => {
        throw new Error('no token today')
      },
    ]) {
      const dial = createProxyDial({ kind: 'socks5', proxy, token: source })
      await expect(dial({ host: 'v', port: 1 }, opening)).rejects.toMatchObject({ code: 'TOKEN_NOT_ISSUED' })
    }
    await new Promise(setImmediate)
    process.off('unhandledRejection', listener)
    expect(unhandled).toEqual([])
    expect(network.accepted, 'the proxy was dialled without a token').toBe(0)
  })

  it('does not wait for a token source that never answers', async () => {
    const dial = createProxyDial({ kind: 'socks5', proxy: { host: '127.0.0.1', port: 1 }, token: () => new Promise(() => {}) })
    await expect(dial({ host: 'v', port: 1 }, { ...opening, signal: AbortSignal.timeout(20) })).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
    })
  })

  it('carries no principal and says so instead of losing it', async () => {
    const principal = { kind: 'business', token: createSecret('user.token.x') } as const
    const address = { host: '127.0.0.1', port: 1 }
    for (const dial of [dialTo(address), createDirectDial(), createProxyDial({ kind: 'http', proxy: address })]) {
      await expect(dial(address, { ...opening, principal })).rejects.toMatchObject({ code: 'DESTINATION_INVALID' })
    }
  })
})

describe('a proxy that misbehaves', () => {
  it.each(['method', 'verdict', 'reply'] as const)('is given up at the deadline when it is silent before the %s', async (silentBefore) => {
    await using far = await openFarSide({ silentBefore })
    const attempt = far.dial({ host: 'v', port: 1 }, { ...opening, signal: AbortSignal.timeout(50) })
    await expect(attempt).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' })
    await far.idle()
  })

  it('is given up after the own limit of the dial when the caller has none', async () => {
    await using proxy = await createSocksServer({ token, silentBefore: 'reply', route: () => 1 })
    const dial = createProxyDial({ kind: 'socks5', proxy: proxy.address, token: async () => createSecret(token), timeoutMs: 30 })
    await expect(dial({ host: 'v', port: 1 }, opening)).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' })
    await proxy.idle()
  })

  it('may take longer than the default when the dial has another limit', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    await using network = createSocketNetwork()
    const proxy = await network.serve(({ stream }) => {
      const answers = ['0580', '0100', '05000001000000000000']
      stream.on('data', () => {
        // The last one comes when the connector has reached a slow backend.
        if (answers.length === 1) vi.advanceTimersByTime(40_000)
        stream.write(Buffer.from(answers.shift() ?? '', 'hex'))
      })
    })
    const dial = createProxyDial({ kind: 'socks5', proxy, token: async () => createSecret(token), timeoutMs: 60_000 })
    const stream = await dial({ host: 'v', port: 1 }, opening)
    expect(stream.destroyed).toBe(false)
    stream.destroy()
  })

  it.each([
    ['accepts no method', ['05ff'], 'PROXY_AUTHORIZATION_REQUIRED'],
    ['does not ask for the token', ['0500'], 'PROTOCOL_VIOLATION'],
    ['asks for user and password', ['0502'], 'PROTOCOL_VIOLATION'],
    ['speaks SOCKS4', ['0400'], 'PROTOCOL_VIOLATION'],
    ['speaks HTTP', ['485454502f312e31203430300d0a0d0a'], 'PROTOCOL_VIOLATION'],
    ['refuses the token', ['0580', '0105'], 'PROXY_AUTHORIZATION_REQUIRED'],
    ['answers the token strangely', ['0580', '0500'], 'PROTOCOL_VIOLATION'],
    ['refuses with two bytes', ['0580', '0100', '0502'], 'ACCESS_DENIED'],
    ['replies in another version', ['0580', '0100', '04000001000000000000'], 'PROTOCOL_VIOLATION'],
    ['replies with an unknown address type', ['0580', '0100', '0500000700'], 'PROTOCOL_VIOLATION'],
    ['hangs up first', [''], 'PEER_UNREACHABLE'],
    ['hangs up in the reply', ['0580', '0100', '05000001'], 'PEER_UNREACHABLE'],
  ])('and %s ends in a code, closed and without the token in the error', async (_what, answers, code) => {
    await using network = createSocketNetwork()
    const proxy = await network.serve(({ stream }) => {
      let step = 0
      stream.on('data', () => {
        const answer = answers[step++]
        if (answer !== undefined && answer !== '') stream.write(Buffer.from(answer, 'hex'))
        if (step === answers.length) stream.end()
      })
    })
    const error: unknown = await dialTo(proxy)({ host: 'v', port: 1 }, opening).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code })
    expect(inspect(error, { depth: 12, showHidden: true })).not.toContain(token)
    await network.idle()
  })

  it('is told apart from a backend that is down', async () => {
    await using network = createSocketNetwork()
    await expect(dialTo(await network.unused())({ host: 'v', port: 1 }, opening)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
  })

  it.each([
    ['050000030568656c6c6f0050', 'a name'],
    [`05000004${'00'.repeat(16)}0050`, 'an IPv6 address'],
  ])('but replies with %s is understood (%s)', async (hex) => {
    await using far = await openFarSide({ reply: Buffer.from(hex, 'hex') })
    const stream = await far.dial(await far.serve((end) => end.stream.end('payload')), opening)
    const [first] = (await once(stream, 'data')) as [Buffer]
    expect(first.toString()).toBe('payload')
  })
})
