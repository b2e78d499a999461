import { createManualClock } from '@sallyport/test-fixtures'
import { describe, expect, it } from 'vitest'
import { createLogOn, type LogOn } from './log-on.ts'
import { createLogOnLock } from './log-on-lock.ts'
import type { KnownUser } from './user-store.ts'

const jane: KnownUser = { name: 'jane', roles: ['sccadmin'] }

/** A log-on to a store that knows one password, and what that was asked. */
function logOnTo(right: string): { readonly logOn: LogOn; readonly asked: string[] } {
  const asked: string[] = []
  const store = {
    async logOn(_name: string, password: string) {
      asked.push(password)
      await new Promise(setImmediate)
      if (password === 'fails') throw new Error('no answer')
      return password === right ? jane : undefined
    },
    find: async () => jane,
  }
  return { asked, logOn: createLogOn({ store: () => store, lock: createLogOnLock(createManualClock()) }) }
}
const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index))

describe('log-ons', () => {
  it('at the same time do not try more passwords than one after the other', async () => {
    const { asked, logOn } = logOnTo('99')
    const answers = await Promise.all(times(100, (index) => logOn('jane', String(index), '192.0.2.1')))
    expect(answers.filter((user) => user !== undefined)).toEqual([])
    expect(asked).toEqual(['0', '1', '2', '3', '4'])
    expect(await logOn('jane', '99', '192.0.2.2')).toBe(jane)
  })

  it('at the same time with what is left of the attempts do not exceed it', async () => {
    const { asked, logOn } = logOnTo('right')
    for (const password of ['a', 'b', 'c']) await logOn('jane', password, '192.0.2.1')
    await Promise.all(times(20, (index) => logOn('jane', String(index), '192.0.2.1')))
    expect(asked).toEqual(['a', 'b', 'c', '0', '1'])
  })

  it('at the same time with the right password all succeed, also after some wrong ones', async () => {
    const { logOn } = logOnTo('right')
    for (const password of ['a', 'b', 'c', 'd']) await logOn('jane', password, '192.0.2.1')
    expect(await Promise.all(times(50, () => logOn('jane', 'right', '192.0.2.1')))).toEqual(times(50, () => jane))
  })

  it('that the store cannot answer neither count nor keep others waiting', async () => {
    const { logOn } = logOnTo('right')
    const answers = await Promise.allSettled(times(20, () => logOn('jane', 'fails', '192.0.2.1')))
    expect(answers.map(({ status }) => status)).toEqual(times(20, () => 'rejected'))
    expect(await logOn('jane', 'right', '192.0.2.1')).toBe(jane)
  })

  it('under other spellings of a name that a directory takes for the same are counted together', async () => {
    const { asked, logOn } = logOnTo('right')
    for (const name of ['jane doe', 'Jane Doe', ' jane  doe ', 'ｊａｎｅ doe', 'ja\u00adne\tdoe']) await logOn(name, 'wrong', '192.0.2.1')
    expect(await logOn('JANE DOE', 'right', '192.0.2.1')).toBeUndefined()
    expect(asked).toHaveLength(5)
    expect(await logOn('joe', 'right', '192.0.2.1')).toBe(jane)
  })
})
