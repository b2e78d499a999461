import { once } from 'node:events'
import { createMemoryPair } from '@sallyport/test-fixtures'
import { describe, expect, it } from 'vitest'
import { handOver } from './hand-over.ts'
import { readMessage } from './read-message.ts'

const four = { measure: () => 4, maxBytes: 8, tooLong: () => new Error('too long') }
const endless = { ...four, measure: () => undefined }
const never = new AbortController().signal

async function collect(stream: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  for await (const chunk of stream) text += String(chunk)
  return text
}

describe('reading one message', () => {
  it.each(['data', 'readable', 'pipe', 'iterator'])('leaves what follows to a reader that uses %s', async (style) => {
    const [near, far] = createMemoryPair()
    far.end('abcdEFGH')
    expect((await readMessage(near, four, never, 'x')).toString()).toBe('abcd')
    const stream = await handOver(near)
    const rest = await new Promise<string>((resolve) => {
      let text = ''
      if (style === 'data') stream.on('data', (chunk) => (text += chunk)).on('end', () => resolve(text))
      else if (style === 'readable') stream.on('readable', () => (text += stream.read() ?? '')).on('end', () => resolve(text))
      else if (style === 'iterator') void collect(stream).then(resolve)
      else {
        const [left, right] = createMemoryPair()
        stream.pipe(left)
        void collect(right).then(resolve)
      }
    })
    expect(rest).toBe('EFGH')
  })
  it('puts a message together from pieces', async () => {
    const [near, far] = createMemoryPair()
    const message = readMessage(near, four, never, 'x')
    for (const byte of 'abcd!') {
      far.write(byte)
      // oxlint-disable-next-line no-await-in-loop -- each byte arrives alone
      await new Promise(setImmediate)
    }
    expect((await message).toString()).toBe('abcd')
    expect(String(near.read())).toBe('!')
  })
  it('gives up at the limit', async () => {
    const [near, far] = createMemoryPair()
    far.write('123456789')
    await expect(readMessage(near, endless, never, 'x')).rejects.toThrow('too long')
  })
  it.each(['end', 'destroy', 'destroyed before', 'ended before'])('says so when the other side is gone: %s', async (how) => {
    const [near, far] = createMemoryPair()
    near.on('error', () => {})
    if (how === 'destroyed before') near.destroy()
    if (how === 'ended before') {
      far.end()
      near.resume()
      await new Promise(setImmediate)
    }
    const message = readMessage(near, four, never, 'connect to x')
    if (how === 'end') far.end('ab')
    far.on('error', () => {})
    if (how === 'destroy') far.destroy(new Error('reset'))
    await expect(message).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
  })
  it('stops waiting when it is aborted, and listens no longer', async () => {
    const [near] = createMemoryPair()
    const controller = new AbortController()
    const message = readMessage(near, four, controller.signal, 'x')
    controller.abort()
    await expect(message).rejects.toMatchObject({ code: 'ABORTED' })
    expect(near.listenerCount('readable') + near.listenerCount('close') + near.listenerCount('error')).toBe(0)
    await expect(readMessage(near, four, controller.signal, 'x')).rejects.toMatchObject({ code: 'ABORTED' })
  })
})

describe('handing over', () => {
  it('lets the owner see the end of a far side that ended right after its answer', async () => {
    const [near, far] = createMemoryPair()
    far.end('abcd')
    await readMessage(near, four, never, 'x')
    const stream = await handOver(near)
    // An event and not an iterator, which would look whether the end has been already.
    await once(stream.resume(), 'end')
    expect(stream.readableEnded).toBe(true)
  })
  it('keeps our side usable then', async () => {
    const [near, far] = createMemoryPair()
    far.end('abcd')
    await readMessage(near, four, never, 'x')
    const stream = await handOver(near)
    stream.end('said later')
    expect(await collect(far)).toBe('said later')
  })
})
