import { once } from 'node:events'
import { connect as connectSocket } from 'node:net'
import { text } from 'node:stream/consumers'
import { createSecret, silentLogger, systemClock } from '@sallyport/core'
import { createDirectDial, createProxyDial } from '@sallyport/dial'
import { connect as connectToHttp, createHttpAdapter } from '@sallyport/http'
import { connect as connectToTcp, createTcpAdapter } from '@sallyport/tcp'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { findDestination, stubApplication } from './found-destination.ts'
import { createInstallation, type Installation } from './installation.ts'

let stack: Installation
beforeAll(async () => {
  stack = await createInstallation()
  await stack.dev()
}, 60_000)
afterAll(async () => stack[Symbol.asyncDispose]())

const signal = (): AbortSignal => AbortSignal.timeout(15_000)

describe('our own client packages against the running stack', () => {
  it('HTTP through the proxy, as a user', async () => {
    const { destination, credentials, connectivity, tokens } = await findDestination(stack, 'S4_DEMO', 'HTTP')
    await using _ = tokens
    const adapter = createHttpAdapter({
      clock: systemClock,
      proxy: { address: connectivity.httpProxy, tenant: 'demo', token: (abort) => tokens.get({ signal: abort }), forget: tokens.forget },
    })
    const user = (await stack.run(['token', 'issue', '--user', 'jane@acme.test', '--raw'])).stdout.trim()
    await using client = await adapter.connect(destination, {
      dial: createDirectDial(),
      credentials,
      principal: { kind: 'business', token: createSecret(user) },
      signal: signal(),
      log: silentLogger,
    })
    const answer = await client.request('/sap/bc/ping', { signal: signal() })
    expect(await answer.json()).toMatchObject({ user: 'jane@acme.test' })
  })

  it('TCP through SOCKS5, half-closed', async () => {
    const { destination, credentials, tokens, socks5 } = await findDestination(stack, 'ECHO_DEMO', 'TCP')
    await using _ = tokens
    await using client = await createTcpAdapter({ clock: systemClock }).connect(destination, {
      dial: socks5,
      credentials,
      signal: signal(),
      log: silentLogger,
    })
    const socket = await client.socket({ signal: signal() })
    socket.end('through the gate and back')
    expect(await text(socket)).toBe('through the gate and back')
  })

  it('by the name of a destination alone, with the bindings of the environment', async () => {
    const { ca } = stubApplication(stack)
    onTestFinished(() => void vi.unstubAllEnvs())
    const userToken = (await stack.run(['token', 'issue', '--user', 'jane@acme.test', '--raw'])).stdout.trim()
    await using erp = await connectToHttp('S4_DEMO', { userToken, ca })
    expect(await (await erp.request('/sap/bc/ping', { signal: signal() })).json()).toMatchObject({ user: 'jane@acme.test' })
    await using echo = await connectToTcp('ECHO_DEMO', { ca })
    const socket = await echo.socket({ signal: signal() })
    socket.end('by name')
    expect(await text(socket)).toBe('by name')
    await expect(connectToTcp('S4_DEMO', { ca })).rejects.toMatchObject({ code: 'DESTINATION_INVALID' })
    await expect(connectToTcp('NOWHERE', { ca })).rejects.toMatchObject({ code: 'DESTINATION_NOT_FOUND' })
  })

  it('PR-014 SOCKS5 with method 0x80, the token and the location ID in Base64; the server picks it when 00 is offered too', async () => {
    const { connectivity, tokens } = await findDestination(stack, 'ECHO_DEMO', 'TCP')
    await using _ = tokens
    const proxy = connectivity.socks5Proxy ?? { host: 'localhost', port: 0 }
    const offering = connectSocket(proxy.port, proxy.host)
    offering.write(Buffer.of(5, 2, 0x00, 0x80))
    const [picked] = (await once(offering, 'data')) as [Buffer]
    expect([...picked]).toEqual([5, 0x80])
    offering.destroy()

    const token = await tokens.get({ signal: signal() })
    const sent: Buffer[] = []
    const dial = createProxyDial({
      kind: 'socks5',
      proxy,
      token: async () => token,
      dial: async (address, options) => {
        const stream = await createDirectDial()(address, options)
        const write = stream.write.bind(stream) as (chunk: Buffer, ...more: never[]) => boolean
        return Object.assign(stream, { write: (chunk: Buffer, ...more: never[]) => (sent.push(Buffer.from(chunk)), write(chunk, ...more)) })
      },
    })
    // There is no such connector: the proxy has understood the token and the location.
    const attempt = dial({ host: 'echo.demo', port: 7 }, { signal: signal(), locationId: 'grüße' })
    await expect(attempt).rejects.toMatchObject({ code: 'CONNECTOR_NOT_CONNECTED' })
    const [greeting = Buffer.alloc(0), ...rest] = sent
    expect([...greeting]).toContain(0x80)
    const message = Buffer.concat([greeting, ...rest]).toString('latin1')
    const location = Buffer.from('grüße').toString('base64')
    expect(message).toContain(`${token.reveal()}${String.fromCodePoint(location.length)}${location}`)
  })

  it('HTTP over SOCKS5 to a TCP mapping is not offered: the connector decides by protocol', async () => {
    const { tokens, socks5 } = await findDestination(stack, 'PLAIN_DEMO', 'HTTP')
    await using _ = tokens
    await expect(socks5({ host: 'plain.demo', port: 80 }, { signal: signal(), locationId: '' })).rejects.toMatchObject({
      code: 'ACCESS_DENIED',
    })
  })
})
