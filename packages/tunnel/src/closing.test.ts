import { expect, it } from 'vitest'
import { createClosing } from './closing.ts'

it('is done once, with the time of the first call, and has begun while it is done', async () => {
  const done: unknown[] = []
  const { promise: finished, resolve: finish } = Promise.withResolvers<void>()
  const closing = createClosing(async (graceMs) => {
    done.push([graceMs, closing.hasBegun])
    await finished
  })
  expect(closing.hasBegun).toBe(false)
  const all = [closing.close({ graceMs: 1 }), closing.close({ graceMs: 2 })]
  expect(done).toEqual([[1, true]])
  finish()
  await Promise.all(all)
  await closing.close({ graceMs: 3 })
  expect(done).toHaveLength(1)
})

it('tells everybody that it failed', async () => {
  const closing = createClosing(() => Promise.reject(new Error('not closed')))
  for (const graceMs of [1, 2]) await expect(closing.close({ graceMs })).rejects.toThrow('not closed')
})
