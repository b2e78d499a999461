import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { SocksClient } from 'socks'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openBoundServices } from './bound-services.ts'
import { freePort } from './free-port.ts'
import { createInstallation, type Installation } from './installation.ts'

let echo: Server
let stack: Installation
let token: string

beforeAll(async () => {
  echo = createServer((socket) => socket.pipe(socket))
  await once(echo.listen(0, '127.0.0.1'), 'listening')
  stack = await createInstallation()
  writeFileSync(
    stack.file('sallyport.yaml'),
    `version: 1
subaccounts: [{ id: demo }, { id: lonely }]
connectors:
  - subaccount: demo
    mappings:
      - { virtual: "echo.corp:7", internal: "tcp://127.0.0.1:${(echo.address() as AddressInfo).port}" }
      - { virtual: "down.corp:7", internal: "tcp://127.0.0.1:${await freePort()}" }
`,
  )
  await stack.dev(['--config', stack.file('sallyport.yaml')])
  await using services = openBoundServices(stack)
  token = (await services.token('connectivity', { grant_type: 'client_credentials' })).access_token
}, 60_000)
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]()
  echo?.close()
})

interface Heard {
  /** The answer to the token: version of the negotiation, and status. */
  readonly authentication: readonly number[] | undefined
  /** What the client says about the reply to its request; empty when it was let through. */
  readonly refused: string
}

const accepted = [1, 0]
const failed = [1, 5]

/** Connects with the SOCKS client that the ecosystem uses, through the proxy, the tunnel and the connector. */
async function connect(host: string, { given = token, location = '' } = {}): Promise<Heard> {
  let authentication: readonly number[] | undefined
  const text = Buffer.from(given)
  const encoded = Buffer.from(Buffer.from(location).toString('base64'))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(text.length)
  try {
    const { socket } = await SocksClient.createConnection({
      command: 'connect',
      destination: { host, port: 7 },
      timeout: 20_000,
      proxy: {
        host: '127.0.0.1',
        port: stack.port('proxySocks5'),
        type: 5,
        custom_auth_method: 0x80,
        custom_auth_request_handler: async () => Buffer.concat([Buffer.from([1]), length, text, Buffer.from([encoded.length]), encoded]),
        custom_auth_response_size: 2,
        custom_auth_response_handler: async (data) => {
          authentication = [...data]
          return data[1] === 0
        },
      },
    })
    socket.destroy()
    return { authentication, refused: '' }
  } catch (error) {
    return { authentication, refused: (error as Error).message }
  }
}

it('CC-102 a caller is let through, or hears 02 without mapping, 03 without tunnel, 04 for a host that is down', async () => {
  expect(await connect('echo.corp')).toEqual({ authentication: accepted, refused: '' })
  expect(await connect('other.corp')).toEqual({ authentication: accepted, refused: expect.stringContaining('NotAllowed') })
  expect(await connect('echo.corp', { location: 'nowhere' })).toEqual({
    authentication: accepted,
    refused: expect.stringContaining('NetworkUnreachable'),
  })
  expect(await connect('down.corp')).toEqual({ authentication: accepted, refused: expect.stringContaining('HostUnreachable') })
})

it('CC-102 a caller hears 03 for a subaccount without connector', async () => {
  const { access_token: other } = await stack.json<{ access_token: string }>([
    'token',
    'issue',
    '--client',
    'connectivity',
    '--tenant',
    'lonely',
  ])
  expect(await connect('echo.corp', { given: other })).toEqual({
    authentication: accepted,
    refused: expect.stringContaining('NetworkUnreachable'),
  })
})

it('CC-102 a caller hears 05 for a token that is none, or signed by somebody else', async () => {
  const forged = `${token.slice(0, token.lastIndexOf('.'))}.${Buffer.alloc(256, 1).toString('base64url')}`
  for (const given of ['not.a.token', forged]) expect((await connect('echo.corp', { given })).authentication).toEqual(failed)
})
