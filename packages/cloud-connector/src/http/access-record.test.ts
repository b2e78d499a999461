import { type AuditEntry, noEvents, silentLogger } from '@sallyport/core'
import { createManualClock } from '@sallyport/test-fixtures'
import { expect, it } from 'vitest'
import type { LinkContext } from '../link-context.ts'
import { auditAllowed, auditDenied } from './access-record.ts'

type Level = 'ALL' | 'SECURITY' | 'OFF'

it.each<[Level, Level, readonly string[]]>([
  ['ALL', 'OFF', ['access-denied', 'access-allowed']],
  ['SECURITY', 'OFF', ['access-denied']],
  ['OFF', 'ALL', []],
])('audits a request by the level %s that it began with, when the level is %s by then', (auditLevel, level, expected) => {
  const written: AuditEntry[] = []
  const context = {
    subaccount: 'demo',
    locationId: '',
    audit: { failing: false, write: (entry: AuditEntry) => void written.push(entry), flushed: () => Promise.resolve() },
    state: () => ({ auditLevel: level }),
    clock: createManualClock(),
    events: noEvents,
    log: silentLogger,
  } as unknown as LinkContext
  const subject = { address: { host: 'erp.demo', port: 80 }, path: '/', correlationId: 'c', state: { auditLevel } }
  auditDenied(context, subject, 'jane', 'no resource')
  auditAllowed(context, subject, 'jane')
  expect(written.map(({ type }) => type)).toEqual(expected)
})
