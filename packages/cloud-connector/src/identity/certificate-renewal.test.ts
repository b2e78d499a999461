import { X509Certificate } from 'node:crypto'
import { type Clock, createSecret, silentLogger } from '@sallyport/core'
import { createManualClock, createTestCa } from '@sallyport/test-fixtures'
import { describe, expect, it } from 'vitest'
import { createCertificateRenewal, type RenewalPolicy } from './certificate-renewal.ts'
import type { ConnectorIdentity } from './connector-identity.ts'

const day = 86_400_000
const leaf = createTestCa().issue({ subject: '/CN=demo', days: 365 })

/** Walks through time in steps of an hour, and tells when a renewal was tried: in days before the certificate expires. */
async function attemptsOf(policy: Partial<RenewalPolicy> = {}): Promise<readonly number[]> {
  const expiresAtMs = new X509Certificate(leaf.certificate).validToDate.getTime()
  const time = createManualClock(expiresAtMs - 45 * day)
  const timers = { waiting: 0 }
  const clock: Clock = {
    now: time.now,
    elapsed: time.elapsed,
    after(delayMs, callback) {
      timers.waiting++
      return time.after(delayMs, () => {
        timers.waiting--
        callback()
      })
    },
  }
  const attempts: number[] = []
  const renewal = createCertificateRenewal({
    identity: () =>
      ({ subaccount: 'demo', locationId: '', connectorId: 'c', certificate: leaf.certificate, key: createSecret('') }) as ConnectorIdentity,
    request: () => {
      attempts.push((expiresAtMs - clock.now()) / day)
      return Promise.reject(new Error('nobody answers'))
    },
    replace: () => Promise.resolve(),
    policy: () => ({ automatic: true, leadMs: 37 * day, giveUpAfterMs: 7 * day, ...policy }),
    clock,
    log: silentLogger,
  })
  while (time.now() < expiresAtMs) {
    time.advance(day / 24)
    // A look ends with the wait for the next one; the key of a request is made beside the event loop.
    while (timers.waiting === 0) await new Promise(setImmediate)
  }
  renewal.stop()
  return attempts
}

describe('automatic renewal', () => {
  it('CC-036 begins so long before the end, goes on every twelve hours, and gives up after a week', async () => {
    const attempts = await attemptsOf()
    expect(attempts[0]).toBeLessThanOrEqual(37)
    expect(attempts[0]).toBeGreaterThan(36.9)
    expect(attempts.length).toBe(14)
  })

  it('does nothing where nobody wants it', async () => {
    expect(await attemptsOf({ automatic: false })).toEqual([])
  })
})
