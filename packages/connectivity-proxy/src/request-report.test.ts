import { type AuditEntry, noEvents, silentLogger, systemClock } from '@sallyport/core'
import { expect, it } from 'vitest'
import { RequestReport } from './request-report.ts'
import { tokenInvalid, tunnelLost } from './refusals.ts'

it('audits every refusal under its tenant, those of one kind at one location as the same', () => {
  const written: (readonly [AuditEntry, string])[] = []
  const audit = { write: (entry: AuditEntry, kind: string) => void written.push([entry, kind]), flush() {} }
  const report = new RequestReport('http', { clock: systemClock, events: noEvents, log: silentLogger, audit, onRefused: () => {} })
  report.refused(tokenInvalid('expired'), undefined)
  report.refused(tokenInvalid('expired'), undefined)
  report.refused(tokenInvalid('signature'), undefined)
  const target = { tenant: 'demo', locationId: '', host: 'h', port: 80 }
  for (const locationId of ['', 'plant']) report.refused(tunnelLost, { ...target, locationId })
  expect(written.map(([{ type, subaccount, message }]) => [type, subaccount, message.slice(0, 8)])).toEqual([
    ...Array.from({ length: 3 }, () => ['access-denied', '', 'http 407']),
    ...Array.from({ length: 2 }, () => ['access-denied', 'demo', 'http 502']),
  ])
  const kinds = written.map(([, kind]) => kind)
  expect(kinds[1]).toBe(kinds[0])
  expect(new Set(kinds).size).toBe(4)
})

it('takes over a plain id of the application and nothing that could confuse a log', () => {
  const context = {
    clock: systemClock,
    events: noEvents,
    log: silentLogger,
    audit: { write() {}, flush() {} },
    onRefused: () => {},
  }
  const plain = new RequestReport('http', context)
  plain.adopt({ names: ['host', 'x-correlationid'], values: ['a', '0b5c3f1e-correlation'] })
  expect(plain.correlationId).toBe('0b5c3f1e-correlation')
  const odd = new RequestReport('http', context)
  odd.adopt({ names: ['x-correlationid'], values: ['a;b\tc'] })
  expect(odd.correlationId).toMatch(/^[0-9a-f-]{36}$/)
})
