import { setTimeout as pause } from 'node:timers/promises'
import { createTransitServer, type TransitServer } from '@sallyport/test-fixtures'
import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { subaccounts, writeConfiguration } from './company.ts'
import { createInstallation, type Installation } from './installation.ts'

let stack: Installation
let vault: TransitServer
const config = (): string => stack.file('server.yaml')

beforeAll(async () => {
  vault = await createTransitServer()
  vault.create('acme')
  stack = await createInstallation()
  writeFileSync(stack.file('vault-token'), vault.token)
  const own = subaccounts.replace('- id: demo\n', '- id: demo\n    customerKey: { system: vault, key: acme }\n')
  const storage = `storage:\n  keyManagement:\n    maxAgeSeconds: 1\n    systems: [{ name: vault, type: transit, url: "${vault.url}", token: { file: vault-token } }]\n`
  writeConfiguration(config(), own + storage)
  stack.start(['serve', 'token-service,destination-service', '--config', config(), '--port-offset', String(stack.portOffset)])
  await stack.ready(2)
}, 60_000)
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]()
  await vault?.[Symbol.asyncDispose]()
})

const customerKey = (...words: readonly string[]) => stack.run(['--json', 'db', 'customer-key', ...words, '--config', config()])
const find = () => stack.run(['--json', 'destination', 'find', 'S4_DEMO'])

/** Until the running service has noticed, which takes as long as it keeps keys. */
async function findUntil(code: number): Promise<{ readonly code: number; readonly stdout: string }> {
  for (;;) {
    const outcome = await find()
    if (outcome.code === code) return outcome
    await pause(100)
  }
}

describe('keys of customers', () => {
  it('protect a subaccount while services run: used, taken back, given again, rotated, released', async () => {
    expect(JSON.parse((await customerKey('status')).stdout)).toEqual({
      ready: true,
      subaccounts: [{ subaccount: 'demo', state: 'off', system: 'vault', key: 'acme' }],
    })
    const used = await customerKey('use', '--subaccount', 'demo')
    expect(used).toMatchObject({ code: 0 })
    expect(JSON.parse(used.stdout)).toEqual({ subaccount: 'demo', changed: true })
    expect(JSON.parse((await customerKey('use', '--subaccount', 'demo')).stdout)).toEqual({ subaccount: 'demo', changed: false })
    expect((await find()).code).toBe(0)

    vault.refuse('acme', true)
    const refused = await findUntil(1)
    expect(refused.stdout).toContain('internal error')
    expect(refused.stdout).not.toMatch(/acme|vault|key/)
    const status = await customerKey('status')
    expect(status.code).toBe(1)
    expect(JSON.parse(status.stdout)).toMatchObject({
      ready: false,
      subaccounts: [{ subaccount: 'demo', state: 'unavailable', reason: expect.stringContaining('permission denied') }],
    })
    expect(status.stdout).not.toContain(vault.token)
    // The key of the installation changes without the customer's.
    expect(JSON.parse((await stack.run(['--json', 'db', 'rotate', '--config', config()])).stdout)).toMatchObject({ madeKey: true })

    vault.refuse('acme', false)
    await findUntil(0)
    vault.rotate('acme')
    expect(JSON.parse((await customerKey('rotate', '--subaccount', 'demo')).stdout)).toEqual({ subaccount: 'demo', changed: true })
    const again = await stack.run(['db', 'customer-key', 'rotate', '--subaccount', 'demo', '--config', config()])
    expect(again.stdout).toContain('demo is encrypted anew, with version 2 of its key, the newest there is.')
    vault.retire('acme')
    expect(JSON.parse((await customerKey('status')).stdout)).toMatchObject({ subaccounts: [{ state: 'usable', version: '2' }] })
    expect((await findUntil(0)).stdout).toContain('S4_DEMO')

    expect(JSON.parse((await customerKey('release', '--subaccount', 'demo')).stdout)).toEqual({ subaccount: 'demo', changed: true })
    vault.remove('acme')
    await pause(1_100)
    expect((await find()).code).toBe(0)
    expect(JSON.parse((await customerKey('use', '--subaccount', 'demo')).stdout)).toMatchObject({
      error: { code: 'ENCRYPTION_KEY_UNAVAILABLE' },
    })
    expect((await find()).code).toBe(0)
    expect(JSON.parse((await customerKey('use', '--subaccount', 'nobody')).stdout)).toMatchObject({
      error: { code: 'NOT_FOUND', next: expect.stringContaining('customerKey') },
    })
  }, 120_000)
})
