import { X509Certificate } from 'node:crypto'
import { expect, it } from 'vitest'
import { createManualClock, createTestCa } from './index.ts'

it('issues certificates that its own certificate verifies', () => {
  const ca = createTestCa()
  const leaf = ca.issue({ subject: '/CN=leaf' })
  const certificate = new X509Certificate(leaf.certificate)
  expect(certificate.verify(new X509Certificate(ca.certificate).publicKey)).toBe(true)
  expect(certificate.subjectAltName).toBe('DNS:localhost, IP Address:127.0.0.1')
})

it('runs due timers in order when time moves on', () => {
  const clock = createManualClock(0)
  const order: number[] = []
  clock.after(20, () => order.push(20))
  clock.after(10, () => order.push(10))
  const cancel = clock.after(5, () => order.push(5))
  cancel()
  clock.advance(15)
  expect(order).toEqual([10])
  clock.advance(5)
  expect(order).toEqual([10, 20])
})
