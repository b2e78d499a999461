import { join } from 'node:path'
import { installPythonPackage } from '@sallyport/real-backends'
import { type AbapGateway, createAbapGateway } from '@sallyport/conformance/backends'
import { createSapRouter, createSocksServer, type SapRouter, type SocksServer } from '@sallyport/test-fixtures'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createClassicClient } from '../conformance/classic-system.ts'
import { type PythonPeer, startPythonPeer } from './python-peer.ts'

const saprfclib = { name: 'saprfclib', version: '0.1.8', module: 'saprfclib', python: '3.12' }
const python = await installPythonPackage(saprfclib, join(import.meta.dirname, '..', 'node_modules'))
const token = 'proxy-token'

/** Somebody else's client at the systems that our client is tested with: what both agree upon is not our invention alone. */
describe.skipIf(python === undefined)('saprfclib', () => {
  let peer: PythonPeer
  let gateway: AbapGateway
  let router: SapRouter
  let proxy: SocksServer
  const logon = { ashost: '127.0.0.1', sysnr: '42', client: '001', user: 'DEVELOPER', passwd: 'secret' }

  beforeAll(async () => {
    peer = startPythonPeer(python ?? '', 'saprfclib_peer.py')
    gateway = await createAbapGateway()
    router = await createSapRouter({ route: () => gateway.address, password: 'r0uter' })
    proxy = await createSocksServer({ token, route: (host, port) => (host === 'erp.virtual' && port === 3342 ? gateway.address : 4) })
  })
  afterAll(async () => {
    for (const each of [peer, gateway, router, proxy]) await each[Symbol.asyncDispose]()
  })

  const connect = (more: Readonly<Record<string, unknown>>): ReturnType<PythonPeer['ask']> => peer.ask({ connect: { ...logon, ...more } })
  const call = (name: string, parameters: unknown = {}): ReturnType<PythonPeer['ask']> => peer.ask({ call: name, parameters })

  it('logs on at the fixture gateway and calls function modules, whose interfaces it looks up there', async () => {
    expect(await connect({ port: gateway.address.port })).toEqual({ result: { sys_id: 'A4H', user: 'DEVELOPER', client: '001' } })
    expect(await call('STFC_CONNECTION', { REQUTEXT: 'grüße' })).toMatchObject({ result: { ECHOTEXT: 'grüße' } })
    expect(await call('STFC_CHANGING', { START_VALUE: 3, COUNTER: 4 })).toEqual({ result: { COUNTER: 5, RESULT: 7 } })
    expect(await call('Z_COUNT')).toEqual({ result: { COUNT: 1 } })
    expect(await call('Z_COUNT')).toEqual({ result: { COUNT: 2 } })
    expect(await call('STFC_EXCEPTION')).toEqual({ error: 'AbapApplicationError', message: 'EXAMPLE' })
    await peer.ask({ close: true })
    expect(gateway.seen).toMatchObject({ violations: [] })
  })

  it('reads the same as our client from the same system', async () => {
    await connect({ port: gateway.address.port })
    const { client } = await createClassicClient(gateway.address)
    try {
      const row = { RFCFLOAT: 1.5, RFCINT1: 255, RFCINT2: -2, RFCINT4: 7, RFCCHAR4: 'abc', RFCDATA1: 'äöü' }
      const parameters = { IMPORTSTRUCT: row, RFCTABLE: [{ RFCINT4: 1 }, { RFCINT4: -1 }] }
      const theirs = (await call('STFC_STRUCTURE', parameters)) as { readonly result: Readonly<Record<string, unknown>> }
      const ours = await client.call('STFC_STRUCTURE', parameters)
      expect(theirs.result['ECHOSTRUCT']).toMatchObject(row)
      expect(ours['ECHOSTRUCT']).toMatchObject(row)
      expect(theirs.result['RFCTABLE']).toMatchObject([{ RFCINT4: 1 }, { RFCINT4: -1 }, row])
      expect(ours['RFCTABLE']).toMatchObject([{ RFCINT4: 1 }, { RFCINT4: -1 }, row])
      // They send what we send, value for value.
      const sent = gateway.seen.calls.filter(({ functionName }) => functionName === 'STFC_STRUCTURE')
      const tables = sent.map(({ inputs }) => inputs.find((input) => input.kind === 'table'))
      expect(tables).toHaveLength(2)
      expect(tables[0]).toMatchObject({ name: 'RFCTABLE', rowBytes: tables[1]?.kind === 'table' ? tables[1].rowBytes : 0 })
    } finally {
      await client[Symbol.asyncDispose]()
      await peer.ask({ close: true })
    }
  })

  it('is refused with a wrong password, and reads why', async () => {
    expect(await connect({ port: gateway.address.port, passwd: 'wrong' })).toMatchObject({
      message: expect.stringContaining('Name or password is incorrect'),
    })
  })

  it('finds its way through the fixture SAProuter', async () => {
    const route = `/H/127.0.0.1/S/${router.address.port}/P/r0uter`
    expect(await connect({ port: router.address.port, saprouter: route })).toMatchObject({ result: { user: 'DEVELOPER' } })
    expect(await call('STFC_CONNECTION', { REQUTEXT: 'routed' })).toMatchObject({ result: { ECHOTEXT: 'routed' } })
    expect(router.requests.at(-1)).toMatchObject({ passedHops: 1, hops: [{ password: 'r0uter' }, {}] })
    await peer.ask({ close: true })
  })

  it('goes through a SOCKS5 proxy to the port 3342', async () => {
    const socks = { proxy_type: 'socks5', proxy_host: '127.0.0.1', proxy_port: proxy.address.port, proxy_jwt: token }
    expect(await connect({ ashost: 'erp.virtual', ...socks })).toMatchObject({ result: { user: 'DEVELOPER' } })
    expect(proxy.attempts).toMatchObject([{ host: 'erp.virtual', port: 3342 }])
    await peer.ask({ close: true })
  })
})
