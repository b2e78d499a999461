import { once } from 'node:events'
import { lstatSync, readdirSync } from 'node:fs'
import { connect as connectSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { PassThrough } from 'node:stream'
import { createMemoryPair } from '@sallyport/test-fixtures'
import { describe, expect, it } from 'vitest'
import { openBridge } from '../src/index.ts'

const signal = (): AbortSignal => AbortSignal.timeout(8000)

describe('the private socket for a library', () => {
  it('PR-011 lives in a folder of mode 0700 and disappears with the first connection', async () => {
    const [near] = createMemoryPair()
    const bridge = await openBridge(near, signal())
    expect(lstatSync(dirname(bridge.path)).mode & 0o777).toBe(0o700)
    const socket = connectSocket(bridge.path)
    await bridge.taken
    expect(readdirSync(tmpdir()).map((name) => join(tmpdir(), name))).not.toContain(dirname(bridge.path))
    socket.destroy()
    near.destroy()
  })

  it('PR-012 refuses a second, uninvited connection', async () => {
    const [near] = createMemoryPair()
    const bridge = await openBridge(near, signal())
    const first = connectSocket(bridge.path)
    await bridge.taken
    const [error] = (await once(connectSocket(bridge.path), 'error')) as [unknown]
    expect(error).toMatchObject({ code: expect.stringMatching(/ENOENT|ECONNREFUSED/) })
    first.destroy()
    near.destroy()
  })

  it('closes by itself when nobody comes', async () => {
    const bridge = await openBridge(new PassThrough(), AbortSignal.timeout(50))
    await expect(bridge.taken).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' })
    expect(() => lstatSync(dirname(bridge.path))).toThrow(/ENOENT/)
  })
})
