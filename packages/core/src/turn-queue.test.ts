import { expect, it } from 'vitest'
import { createTurnQueue } from './turn-queue.ts'

it('does one after the other, in the order of asking', async () => {
  const turns = createTurnQueue()
  const happened: string[] = []
  const step = (name: string) => async (): Promise<string> => {
    happened.push(`${name} begins`)
    await Promise.resolve()
    happened.push(`${name} ends`)
    return name
  }
  expect(await Promise.all([turns.inTurn(step('first')), turns.inTurn(step('second'))])).toEqual(['first', 'second'])
  expect(happened).toEqual(['first begins', 'first ends', 'second begins', 'second ends'])
})

it('goes on after a failure, which only who asked learns of', async () => {
  const turns = createTurnQueue()
  const failing = turns.inTurn(() => {
    throw new Error('refused')
  })
  const next = turns.inTurn(() => 'done')
  await expect(failing).rejects.toThrow('refused')
  expect(await next).toBe('done')
})

it('is idle when everything asked for before is done, failed or not', async () => {
  const turns = createTurnQueue()
  let done = false
  const failing = turns.inTurn(() => Promise.reject(new Error('refused')))
  const working = turns.inTurn(async () => {
    await Promise.resolve()
    done = true
  })
  await turns.idle()
  expect(done).toBe(true)
  await expect(failing).rejects.toThrow('refused')
  await working
})
