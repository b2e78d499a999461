import { type AuditEntry, type LogFields, silentLogger } from '@sallyport/core'
import { createManualClock } from '@sallyport/test-fixtures'
import { expect, it } from 'vitest'
import { maxAuditedRefusals, refusalAuditWindowMs } from './limits.ts'
import { createRefusalAudit } from './refusal-audit.ts'

function scene() {
  const clock = createManualClock()
  const written: AuditEntry[] = []
  const logged: LogFields[] = []
  const audit = { failing: false, write: (entry: AuditEntry) => void written.push(entry), flushed: () => Promise.resolve() }
  const refusals = createRefusalAudit({ audit, clock, log: { ...silentLogger, warn: (fields: LogFields) => void logged.push(fields) } })
  const refuse = (message: string, subaccount = 'demo', kind = message): void =>
    refusals.write({ type: 'access-denied', subaccount, user: '', message, correlationId: 'c' }, kind)
  const lines = (): string[] => written.map(({ subaccount, message }) => `${subaccount}: ${message}`)
  return { clock, audit, refusals, refuse, lines, written, logged }
}

it('writes the first refusal of each kind and subaccount at once, and counts those that follow', () => {
  const { clock, refuse, lines, written } = scene()
  for (let i = 0; i < 1_000; i++) refuse('407')
  refuse('407', 'other')
  refuse('503')
  expect(lines()).toEqual(['demo: 407', 'other: 407', 'demo: 503'])
  expect(written[0]?.correlationId).toBe('c')
  clock.advance(refusalAuditWindowMs)
  expect(lines().slice(3)).toEqual(['demo: 407 (999 more like it in 60 s)'])
  refuse('407')
  expect(lines().slice(4)).toEqual(['demo: 407'])
  clock.advance(10 * refusalAuditWindowMs)
  expect(lines()).toHaveLength(5)
})

it('writes a bounded number of lines for kinds without end, each subaccount with its first', () => {
  const { clock, refuse, lines } = scene()
  for (let i = 0; i < 3 * maxAuditedRefusals; i++) refuse(`kind ${i}`)
  expect(lines()).toHaveLength(maxAuditedRefusals + 1)
  refuse('the first of another', 'other')
  refuse('the second of another', 'other')
  expect(lines().at(-1)).toBe('other: the first of another')
  for (let i = 0; i < 3 * maxAuditedRefusals; i++) refuse('407', `subaccount ${i}`)
  expect(lines().length).toBeLessThanOrEqual(2 * maxAuditedRefusals + 2)
  clock.advance(refusalAuditWindowMs)
  const counts = lines().filter((line) => line.includes('refusals of several kinds'))
  expect(counts[0]).toBe(`demo: kind ${maxAuditedRefusals} (${2 * maxAuditedRefusals - 1} more refusals of several kinds in 60 s)`)
  expect(counts[1]).toBe('other: the first of another (1 more refusals of several kinds in 60 s)')
})

it('queues nothing while the log cannot be written, and loses no count', () => {
  const { clock, audit, refuse, lines, logged } = scene()
  refuse('407')
  audit.failing = true
  refuse('407')
  refuse('503')
  expect(logged).toEqual([{ subaccount: 'demo', reason: '503' }])
  clock.advance(refusalAuditWindowMs)
  refuse('407')
  expect(lines()).toEqual(['demo: 407'])
  audit.failing = false
  refuse('503')
  clock.advance(refusalAuditWindowMs)
  expect(lines()).toEqual(['demo: 407', 'demo: 503', 'demo: 407 (2 more like it in 60 s)'])
})

it('writes the counts when it is told that there is nothing more to come', () => {
  const { clock, refusals, refuse, lines } = scene()
  refuse('407')
  refuse('407')
  refuse('503')
  refusals.flush()
  clock.advance(refusalAuditWindowMs)
  expect(lines()).toEqual(['demo: 407', 'demo: 503', 'demo: 407 (1 more like it in 60 s)'])
})
