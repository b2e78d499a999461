import type { AuditEntry } from '@sallyport/core'
import { createManualClock } from '@sallyport/test-fixtures'
import { expect, it } from 'vitest'
import { maxToldRefusals, refusalsPeriodMs } from '../limits.ts'
import { createLogOnRefusals } from './log-on-refusals.ts'

it('tells so many wrong passwords of an address, whatever the names, and how many it has left out', () => {
  const clock = createManualClock()
  const told: AuditEntry[] = []
  const { ofPassword } = createLogOnRefusals({ write: (entry) => void told.push(entry) }, clock)
  for (let at = 0; at < maxToldRefusals + 7; at += 1) ofPassword(`user ${at}`, '10.0.0.1', 'the password is wrong')
  expect(told).toHaveLength(maxToldRefusals)
  ofPassword('jane', '10.0.0.2', 'the password is wrong')
  expect(told.at(-1)?.message).toBe('Log-on of user jane from 10.0.0.2 was refused: the password is wrong')
  clock.advance(refusalsPeriodMs)
  ofPassword('joe', '10.0.0.1', 'the password is wrong')
  expect(told.at(-1)?.message).toContain('7 refusals before it, from this address, were not written')
})

it('shortens names', () => {
  const told: AuditEntry[] = []
  createLogOnRefusals({ write: (entry) => void told.push(entry) }, createManualClock()).ofPassword('x'.repeat(5000), '10.0.0.1', 'wrong')
  expect(told[0]?.user).toBe(`${'x'.repeat(100)}…`)
  expect(told[0]?.message.length).toBeLessThan(200)
})
