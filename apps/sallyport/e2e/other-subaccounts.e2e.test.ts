import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createInstallation, type Installation } from './installation.ts'

let stack: Installation
beforeAll(async () => {
  stack = await createInstallation()
  writeFileSync(stack.file('cloud.yaml'), JSON.stringify({ version: 1, subaccounts: [{ id: 'demo' }, { id: 'buyer' }] }))
  const words = ['--config', stack.file('cloud.yaml'), '--port-offset', String(stack.portOffset)]
  stack.start(['serve', 'token-service,destination-service', ...words])
  await stack.ready(2)
}, 60_000)
afterAll(async () => stack[Symbol.asyncDispose]())

const theirs = ['--tenant', 'buyer']

describe('commands for another subaccount than that of the binding', () => {
  it('make, show, rotate and delete the trust key pairs of that one only', async () => {
    interface Shown {
      readonly role: string
      readonly subject: string
      readonly fingerprint: string
    }
    const [active] = await stack.json<readonly Shown[]>(['trust', 'generate', ...theirs])
    expect(active?.subject).toContain('CN=cfapps.localhost/buyer')
    expect(await stack.run(['trust', 'show'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no trust key pair yet') as string,
    })
    const [passive] = await stack.json<readonly Shown[]>(['trust', 'generate', '--passive', ...theirs])
    expect(await stack.json(['trust', 'rotate', ...theirs])).toMatchObject([
      { role: 'active', fingerprint: passive?.fingerprint },
      { role: 'passive', fingerprint: active?.fingerprint },
    ])
    expect(await stack.json(['trust', 'delete', ...theirs])).toEqual({ role: 'passive', outcome: 'deleted' })
    expect(await stack.json(['trust', 'show', ...theirs])).toMatchObject([{ role: 'active', fingerprint: passive?.fingerprint }])
  }, 60_000)

  it.each(['subaccount', 'instance'])(
    'make, list, renew and delete certificates of its %s level only',
    async (level) => {
      const names = async (words: readonly string[]): Promise<readonly string[]> =>
        (await stack.json<readonly { readonly name: string }[]>(['certificate', 'list', '--level', level, ...words])).map(
          ({ name }) => name,
        )
      const there = ['--level', level, ...theirs]
      await stack.json(['certificate', 'generate', 'c.pem', '--days', '30', ...there])
      expect(await names(theirs)).toEqual(['c.pem'])
      expect(await names([])).toEqual([])
      expect(await stack.run(['certificate', 'renew', 'c.pem', '--level', level])).toMatchObject({ code: 1 })
      expect(await stack.json(['certificate', 'renew', 'c.pem', ...there])).toEqual({ name: 'c.pem', outcome: 'renewed' })
      expect(await stack.json(['certificate', 'delete', 'c.pem', ...there])).toEqual({ name: 'c.pem', outcome: 'deleted' })
    },
    60_000,
  )
})
