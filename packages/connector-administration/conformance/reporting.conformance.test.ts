import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type AdministrationBench, startAdministrationBench } from './administration-bench.ts'

const base = '/api/v1/configuration/connector'
let bench: AdministrationBench
beforeEach(async () => {
  bench = await startAdministrationBench({ haRole: 'master' })
})
afterEach(() => bench[Symbol.asyncDispose]())

describe('alerting', () => {
  it('begins with the thresholds of the original, and is changed as a whole or in part', async () => {
    const { thresholds, notification } = (await bench.call('GET', `${base}/alerting`)).json()
    expect(thresholds).toEqual({ cpuLoad: 90, cpuLoadViolationToleranceSec: 60, freeDiskSpaceMb: 100, certificateValidityDays: 30 })
    expect(Object.values(notification).every((on) => on === true)).toBe(true)
    expect((await bench.call('PATCH', `${base}/alerting`, { thresholds: { cpuLoad: '70' }, notification: { CPU: 'false' } })).status).toBe(
      204,
    )
    const changed = (await bench.call('GET', `${base}/alerting`)).json()
    expect([changed.thresholds.cpuLoad, changed.thresholds.freeDiskSpaceMb, changed.notification.CPU, changed.notification.ha]).toEqual([
      70,
      100,
      false,
      true,
    ])
    expect((await bench.call('PUT', `${base}/alerting`, { thresholds: { cpuLoad: 80 }, notification: {} })).status).toBe(204)
    expect((await bench.call('GET', `${base}/alerting`)).json().notification.CPU).toBe(true)
  })

  it.each([[{ thresholds: { cpuLoad: 101 } }], [{ thresholds: { certificateValidityDays: 0 } }], [{ notification: { CPU: 'maybe' } }]])(
    'is not changed to %j',
    async (body) => {
      expect((await bench.call('PATCH', `${base}/alerting`, body)).status).toBe(400)
      expect((await bench.call('PUT', `${base}/alerting`, { thresholds: {} })).status).toBe(400)
    },
  )
})

describe('e-mail', () => {
  const complete = {
    enabled: true,
    trustOption: 'tlsDisabled',
    sendTo: 'Ann <a@example.org>',
    sendFrom: 'cc@example.org',
    smtpHost: 'mail.example',
  }

  it('CC-157 is checked only when it is switched on', async () => {
    const incomplete = { enabled: false, sendTo: 'nobody', smtpHost: '', smtpPort: 99_999, trustOption: 'other' }
    expect((await bench.call('PUT', `${base}/email`, incomplete)).status).toBe(204)
    expect((await bench.call('PATCH', `${base}/email`, { enabled: true })).status).toBe(400)
    for (const wrong of [{ sendTo: 'nobody' }, { smtpHost: '' }, { smtpPort: 99_999 }, { trustOption: 'other' }, { sendFrom: 'a b@c' }]) {
      expect((await bench.call('PUT', `${base}/email`, { ...complete, ...wrong })).status).toBe(400)
    }
    expect((await bench.call('GET', `${base}/email`)).json()).toMatchObject({ enabled: false, sendTo: 'nobody' })
    expect((await bench.call('PUT', `${base}/email`, complete)).status).toBe(204)
  })

  it('keeps the password, which is not told', async () => {
    await bench.call('PUT', `${base}/email`, { ...complete, smtpUsername: 'u', smtpPassword: 'very secret' })
    await bench.call('PUT', `${base}/email`, { ...complete, smtpUsername: 'u' })
    const shown = await bench.call('GET', `${base}/email`)
    expect(shown.body).not.toMatch(/secret|smtpPassword|trustStore/)
    expect(bench.editor.document.reporting.email.smtpPassword).toBe('very secret')
    expect(JSON.stringify(bench.audited)).not.toContain('very secret')
  })
})

describe('levels of the audit log', () => {
  const key = { regionHost: 'cf.demo.example', subaccount: 'demo' }
  const path = `${base}/auditLog/subaccounts/${key.regionHost}/${key.subaccount}`

  it('CC-145 are Security, kept for ever, for the installation and for a new subaccount', async () => {
    await bench.expose(key)
    expect((await bench.call('GET', `${base}/auditLog`)).json()).toMatchObject({ level: 'SECURITY', cleanup: 0 })
    expect((await bench.call('GET', path)).json()).toEqual({ level: 'SECURITY' })
    expect(bench.rendered('demo').audit).toEqual({ level: 'SECURITY', retentionDays: 0 })
  })

  it('CC-150 are changed, with a clean-up after 0, 14, 30, 90, 180 or 365 days', async () => {
    await bench.expose(key)
    for (const cleanup of [14, 30, 90, 180, 365, 0, '30'])
      expect((await bench.call('PATCH', `${base}/auditLog`, { cleanup })).status).toBe(204)
    for (const cleanup of [1, 31, -1, 366]) expect((await bench.call('PATCH', `${base}/auditLog`, { cleanup })).status).toBe(400)
    expect((await bench.call('PATCH', path, { level: 'ALL' })).status).toBe(204)
    expect((await bench.call('PATCH', path, { level: 'SOME' })).status).toBe(400)
    expect(bench.rendered('demo').audit).toEqual({ level: 'ALL', retentionDays: 30 })
    expect((await bench.call('GET', `${base}/auditLog/subaccounts/x/y`)).status).toBe(404)
  })

  it('of the installation, switched off, leaves its changes out, and tells that it was switched off', async () => {
    await bench.call('PATCH', `${base}/auditLog`, { level: 'OFF' })
    expect(bench.audited.at(-1)).toMatchObject({ category: 'CrossAuditLogLevel', message: expect.stringContaining('OFF') })
    const before = bench.audited.length
    await bench.call('PUT', base, { description: 'not told' })
    expect(bench.audited).toHaveLength(before)
  })
})
