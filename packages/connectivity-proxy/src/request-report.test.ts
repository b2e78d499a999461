import { type AuditEntry, noEvents, silentLogger, systemClock } from '@sallyport/core'
import { expect, it } from 'vitest'
import { RequestReport } from './request-report.ts'
import { tokenInvalid } from './refusals.ts'

it('audits every refusal, and keeps none in memory while the audit log cannot be written', () => {
  const written: AuditEntry[] = []
  const audit = { failing: false, write: (entry: AuditEntry) => void written.push(entry), flushed: () => Promise.resolve() }
  const report = new RequestReport('http', { clock: systemClock, events: noEvents, log: silentLogger, audit, onRefused: () => {} })
  report.refused(tokenInvalid('expired'), undefined)
  expect(written).toMatchObject([{ type: 'access-denied', message: expect.stringContaining('407') }])
  audit.failing = true
  report.refused(tokenInvalid('expired'), undefined)
  expect(written).toHaveLength(1)
})

it('takes over a plain id of the application and nothing that could confuse a log', () => {
  const context = {
    clock: systemClock,
    events: noEvents,
    log: silentLogger,
    audit: { failing: false, write: () => {}, flushed: () => Promise.resolve() },
    onRefused: () => {},
  }
  const plain = new RequestReport('http', context)
  plain.adopt({ names: ['host', 'x-correlationid'], values: ['a', '0b5c3f1e-correlation'] })
  expect(plain.correlationId).toBe('0b5c3f1e-correlation')
  const odd = new RequestReport('http', context)
  odd.adopt({ names: ['x-correlationid'], values: ['a;b\tc'] })
  expect(odd.correlationId).toMatch(/^[0-9a-f-]{36}$/)
})
