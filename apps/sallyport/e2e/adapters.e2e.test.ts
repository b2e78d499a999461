import { text } from 'node:stream/consumers'
import { createSecret, silentLogger, systemClock } from '@sallyport/core'
import { createDirectDial } from '@sallyport/dial'
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

  it('HTTP over SOCKS5 to a TCP mapping is not offered: the connector decides by protocol', async () => {
    const { tokens, socks5 } = await findDestination(stack, 'PLAIN_DEMO', 'HTTP')
    await using _ = tokens
    await expect(socks5({ host: 'plain.demo', port: 80 }, { signal: signal(), locationId: '' })).rejects.toMatchObject({
      code: 'ACCESS_DENIED',
    })
  })
})
