import { type AddressInfo, createServer } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findPortOwner } from './port-owner.ts'
import { portsWithOffset, requireFreePorts } from './ports.ts'

const server = createServer()
let port: number
beforeEach(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
afterEach(async () => {
  await new Promise((resolve) => server.close(resolve))
})

describe('ports', () => {
  it('moves all by the same amount and stays inside 1..65535', () => {
    expect(portsWithOffset(100)).toMatchObject({ proxyHttp: 20103, tokenService: 8545 })
    expect(() => portsWithOffset(50_000)).toThrow(/port-offset/)
    expect(() => portsWithOffset(-9000)).toThrow(/port-offset/)
  })
  it('names a taken port, who holds it and what to do', async () => {
    await expect(requireFreePorts('127.0.0.1', [port])).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringContaining(String(port)),
      details: { next: expect.stringContaining('--port-offset') },
    })
  })
  it.skipIf(process.platform !== 'linux')('finds the process that listens', () => {
    expect(findPortOwner(port)).toContain(`pid ${process.pid}`)
  })
})
