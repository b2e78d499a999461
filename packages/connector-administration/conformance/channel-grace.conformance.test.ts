import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { AdministrationBench } from './administration-bench.ts'
import { demo, pass, roleOf, startConnectedPair, startPair, switchRoles, until } from './pair-bench.ts'

const grace = '/api/private/v1/highAvailability/serviceChannelGrace'

let echo: Server
/** Of this machine, and nobody else uses it. */
let host: string
const sockets: Socket[] = []
beforeEach(async () => {
  const byte = (): number => 1 + Math.floor(Math.random() * 250)
  host = `127.${byte()}.${byte()}.${byte()}`
  echo = createServer((socket) => socket.on('error', () => {}).pipe(socket))
  await once(echo.listen(0, '127.0.0.1'), 'listening')
})
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
  echo.close()
})

/** A pair with a service channel to an echo beside the cloud side, open on the master. */
async function startChannel(): Promise<{ readonly master: AdministrationBench; readonly shadow: AdministrationBench }> {
  const { port } = echo.address() as AddressInfo
  const mapping = { type: 'TCP', subaccountId: 'demo', serviceId: 'orders', internalAddress: `127.0.0.1:${port}` } as const
  const { master, shadow } = await startConnectedPair({ serviceChannels: { clusterHosts: ['cp.example.org'], mappings: [mapping] } })
  const channel = { k8sCluster: 'cp.example.org:443', k8sService: 'orders', port: 5432, connections: 1, host }
  const made = await master.call('POST', `${demo}/channels/K8S`, channel)
  expect(made.status).toBe(201)
  expect((await master.call('PUT', `${demo}/channels/K8S/1/state`, { enabled: true })).status).toBe(204)
  return { master, shadow }
}
async function client(): Promise<Socket> {
  const socket = connect({ host, port: 5432 })
  sockets.push(socket)
  await once(socket, 'connect')
  return socket.on('error', () => {})
}
async function answers(socket: Socket, text: string): Promise<string> {
  socket.write(text)
  return String((await once(socket, 'data'))[0])
}
const endOf = (socket: Socket): Promise<string> =>
  new Promise((resolve) => {
    socket.once('close', () => resolve('closed'))
  })
const clientsOf = async (bench: AdministrationBench): Promise<number> =>
  (await bench.call('GET', `${demo}/channels/K8S/1`)).json().state.openedConnections

it('CC-143 an open connection survives a switch of roles for the grace period, and new ones go to the new master', async () => {
  const { master, shadow } = await startChannel()
  expect((await master.call('PUT', grace, { minutes: 2 })).status).toBe(204)
  const stays = await client()
  expect(await answers(stays, 'before')).toBe('before')
  expect((await switchRoles(master)).status).toBe(204)
  expect([await roleOf(master), await roleOf(shadow)]).toEqual(['shadow', 'master'])
  expect(await answers(stays, 'after the switch')).toBe('after the switch')
  // The new master has found the port taken, and tries again.
  await until(async () => {
    await pass(shadow, 5)
    return (await shadow.call('GET', `${demo}/channels/K8S/1`)).json().state?.connected === true
  })
  const next = await client()
  expect([await answers(next, 'to the new master'), await clientsOf(shadow)]).toEqual(['to the new master', 1])
  master.clock.advance(119_999)
  expect(await answers(stays, 'at the last moment')).toBe('at the last moment')
  const ended = endOf(stays)
  master.clock.advance(1)
  expect(await ended).toBe('closed')
  expect(await answers(next, 'still there')).toBe('still there')
})

it('without a grace period connections of channels end with the switch', async () => {
  const { master } = await startChannel()
  const socket = await client()
  expect(await answers(socket, 'before')).toBe('before')
  let closed = false
  socket.once('close', () => {
    closed = true
  })
  const switched = switchRoles(master)
  await until(() => {
    // What is due at once.
    master.clock.advance(0)
    return closed
  })
  expect((await switched).status).toBe(204)
})

it('the grace period is 0 to 60 minutes, of a master, set beside a connected shadow, and forgotten by no other setting', async () => {
  const { master, shadow } = await startPair()
  const minutes = async (): Promise<unknown> => (await master.call('GET', grace)).json()
  expect(await minutes()).toEqual({ minutes: 0 })
  for (const refused of [-1, 61, 1.5, 'x', undefined]) expect((await master.call('PUT', grace, { minutes: refused })).status).toBe(400)
  expect((await master.call('PUT', grace, { minutes: '60' })).status).toBe(204)
  expect(await minutes()).toEqual({ minutes: 60 })
  expect((await shadow.call('PUT', grace, { minutes: 1 })).status).toBe(403)
  master.clock.advance(31_000)
  const settings = '/api/v1/configuration/connector/ha/master/config'
  expect((await master.call('PUT', settings, { haEnabled: false })).status).toBe(204)
  expect(await minutes()).toEqual({ minutes: 60 })
  expect((await master.call('GET', settings)).json()).toEqual({ haEnabled: false, allowedShadowHost: '' })
  expect(master.audited.filter(({ message }) => message.includes('channelGraceInMinutes":60')).map(({ user }) => user)[0]).toBe('sccadmin')
})
