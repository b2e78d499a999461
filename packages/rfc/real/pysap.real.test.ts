import { join } from 'node:path'
import { ConnectivityError } from '@sallyport/core'
import { installPythonPackage } from '@sallyport/real-backends'
import { type AbapGateway, createAbapGateway } from '@sallyport/conformance/backends'
import { createSapRouter } from '@sallyport/test-fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ClassicClient, createClassicClient } from '../conformance/classic-system.ts'
import { type PythonPeer, startPythonPeer } from './python-peer.ts'

const pysap = { name: 'pysap', version: '0.2.1', module: 'pysap.SAPRFC' }
const python = await installPythonPackage(pysap, join(import.meta.dirname, '..', 'node_modules'))

/** Systems and a client whose packets are built and read by somebody else. */
describe.skipIf(python === undefined)('pysap', () => {
  const open: AsyncDisposable[] = []
  let peer: PythonPeer
  let gateway: AbapGateway
  beforeEach(async () => {
    peer = startPythonPeer(python ?? '', 'pysap_peers.py')
    gateway = await createAbapGateway()
    open.push(peer, gateway)
  })
  afterEach(async () => {
    for (const each of open.splice(0).toReversed()) await each[Symbol.asyncDispose]()
  })

  async function start(server: Readonly<Record<string, unknown>>): Promise<{ readonly host: string; readonly port: number }> {
    return { host: '127.0.0.1', port: Number((await peer.ask(server))['port']) }
  }

  async function connect(
    target: Parameters<typeof createClassicClient>[0],
    properties: Readonly<Record<string, string>> = {},
  ): Promise<ClassicClient['client']> {
    const { client } = await createClassicClient(target, { properties, allowPlaintext: true })
    open.push(client)
    return client
  }

  it('greets the fixture gateway, and reads its answer', async () => {
    const greeting = { version: 2, req_type: 3, codepage: '4103', rc: 0 }
    expect(await peer.ask({ greet: gateway.address.port })).toEqual(greeting)
    const router = await createSapRouter({ route: (_host, service) => ({ host: '127.0.0.1', port: Number(service) }) })
    open.push(router)
    expect(await peer.ask({ greet: gateway.address.port, router: router.address.port })).toEqual(greeting)
  })

  it('routes our client, having read what it asks for', async () => {
    const router = await start({ router: gateway.address.port, deny: false })
    const client = await connect(router, {
      'jco.destination.proxy_type': 'Internet',
      'jco.client.saprouter': '/H/router.example/S/3299/W/pw',
    })
    expect(await client.call('STFC_CONNECTION', { REQUTEXT: 'x' })).toMatchObject({ ECHOTEXT: 'x' })
    const hops = [
      ['router.example', '3299', 'pw'],
      ['erp.example', '3342', ''],
    ]
    // Behind three strings of the first hop, each with its end.
    expect(await peer.ask({ seen: router.port })).toEqual({ seen: [{ type: 'NI_ROUTE', rest: 1, offset: 23, hops }] })
  })

  it('denies our client the way, in words that it tells', async () => {
    const router = await start({ router: 1, deny: true })
    const properties = { 'jco.destination.proxy_type': 'Internet', 'jco.client.saprouter': '/H/router.example' }
    const client = await connect(router, properties)
    const error: unknown = await client.ping(AbortSignal.timeout(5000)).catch((reason: unknown) => reason)
    expect(ConnectivityError.is(error, 'ACCESS_DENIED')).toBe(true)
    expect(String(error)).toContain('denied by pysap')
  })

  it('tells our client the application server of a logon group', async () => {
    const messageServer = await start({ message_server: gateway.address.port })
    const client = await connect(({ host }) => (host === 'ms.example' ? messageServer : gateway.address), {
      'jco.destination.proxy_type': 'Internet',
      'jco.client.ashost': '',
      'jco.client.sysnr': '',
      'jco.client.mshost': 'ms.example',
      'jco.client.msserv': '3600',
      'jco.client.group': 'PARIS',
    })
    expect(await client.call('STFC_CONNECTION', { REQUTEXT: 'x' })).toMatchObject({ ECHOTEXT: 'x' })
    expect(await peer.ask({ seen: messageServer.port })).toEqual({
      seen: [{ flag: 2, iflag: 8, toname: '-' }, { flag: 2, group: 'PARIS' }, { iflag: 4 }],
    })
  })

  it('takes our client through the steps of the set-up, and refuses its logon', async () => {
    const system = await start({ gateway: 'Name or password is incorrect, says pysap' })
    const client = await connect(system)
    const error: unknown = await client.ping(AbortSignal.timeout(5000)).catch((reason: unknown) => reason)
    expect(ConnectivityError.is(error, 'LOGON_REFUSED')).toBe(true)
    expect(String(error)).toContain('says pysap')
    expect(await peer.ask({ seen: system.port })).toEqual({
      seen: [
        { version: 2, req_type: 3, service: 'sallyport', codepage: '1100' },
        { func_type: 1, tp: 'sapdp42', long_lu: 'erp.example', long_tp: 'sapdp42' },
        { func_type: 0x0f },
        { func_type: 5 },
        { user: 'DEVELOPER', client: '001', function: 'RFCPING', size: expect.any(Number) },
      ],
    })
  })
})
