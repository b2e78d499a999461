import { existsSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createInstallation, type Installation, type Outcome } from './installation.ts'

let stack: Installation
beforeAll(async () => {
  stack = await createInstallation()
})
afterAll(() => stack?.[Symbol.asyncDispose]())

interface Refusal {
  readonly error: { readonly code: string; readonly message: string; readonly next?: string }
}
const refusalOf = ({ stdout }: Outcome): Refusal['error'] => (JSON.parse(stdout) as Refusal).error

describe('with --json a command that was called wrongly', () => {
  it.each([
    [['--json']],
    [['--json', 'db']],
    [['--json', 'db', 'customer-key']],
    [['--json', 'nope']],
    [['--json', 'db', 'nope']],
    [['--json', 'help', 'nope']],
    [['--json', 'curl']],
    [['--json', 'token', 'issue', '--nope']],
    [['--json', 'serve', 'nope']],
    [['--json', 'dev', '--port-offset', 'x']],
    [['--json', 'db', 'customer-key', 'use']],
    [['--json', 'audit', 'verify', '--log', 'nope']],
  ])('%j answers one JSON document with the code USAGE, and ends with 2', async (words) => {
    const outcome = await stack.run(words)
    expect({ code: outcome.code, error: refusalOf(outcome).code, stderr: outcome.stderr }).toEqual({ code: 2, error: 'USAGE', stderr: '' })
    expect(refusalOf(outcome).message).not.toMatch(/^error/i)
  })
})

describe('a configuration file', () => {
  it('that is not there or not valid ends every command that reads one alike', async () => {
    writeFileSync(stack.file('invalid.yaml'), 'version: 1\nsurprise: true\n')
    const commands = [['serve', 'token-service'], ['dev'], ['db', 'status'], ['db', 'migrate'], ['db', 'customer-key', 'status']]
    for (const command of commands) {
      for (const file of ['none.yaml', 'invalid.yaml']) {
        const outcome = await stack.run(['--json', ...command, '--config', stack.file(file)])
        expect({ command, file, code: outcome.code, error: refusalOf(outcome).code }).toEqual({
          command,
          file,
          code: 1,
          error: 'CONFIGURATION_INVALID',
        })
      }
    }
    for (const command of [
      ['serve', 'token-service'],
      ['config', 'validate'],
    ]) {
      const outcome = await stack.run(['--json', ...command])
      expect({ command, code: outcome.code, error: refusalOf(outcome) }).toMatchObject({
        code: 1,
        error: { code: 'CONFIGURATION_INVALID', next: expect.stringContaining('config schema') },
      })
    }
    expect((await stack.run(['config', 'validate', stack.file('none.yaml')])).code).toBe(1)
    expect((await stack.run(['config', 'validate', stack.file('invalid.yaml')])).code).toBe(1)
  }, 60_000)
})

describe('looking at a backup', () => {
  it('makes nothing in a folder that has been nothing before, and says how it would open', async () => {
    await stack.json(['db', 'migrate'])
    const locked = stack.file('locked.backup')
    const open = stack.file('open.backup')
    const environment = { SALLYPORT_BACKUP_PASSWORD: 'c0rrect horse' }
    expect((await stack.run(['db', 'backup', open], { environment })).code).toBe(0)
    expect((await stack.run(['db', 'backup', locked])).code).toBe(0)
    const fresh = stack.file('fresh')
    const check = (file: string, more = {}) => stack.run(['--json', 'db', 'restore', file, '--check'], { data: fresh, environment: more })
    expect(await check(open, environment)).toMatchObject({ code: 0 })
    expect(refusalOf(await check(open))).toMatchObject({ code: 'CONFIGURATION_INVALID', next: expect.stringContaining('--password-file') })
    expect(refusalOf(await check(locked))).toMatchObject({ code: 'CONFIGURATION_INVALID', next: expect.stringContaining('--data') })
    expect(existsSync(fresh)).toBe(false)
  }, 60_000)
})

describe('what to do next', () => {
  it('is a command that can be typed as it stands, with the folder that was named', async () => {
    const { next } = refusalOf(await stack.run(['--json', 'destination', 'list']))
    // As the program was called: by itself, or by a script of the workspace.
    expect(next).toMatch(/(?:main\.js|npx -y pnpm@12 -s sallyport) --data \S+ dev$/)
    expect(next).toContain(stack.data)
  })

  it('is said for a tenant that there is not, a type that there is not, and a user that a destination needs', async () => {
    const started = await stack.run(['dev', '--detach', '--wait', '40s', '--port-offset', String(stack.portOffset)])
    expect(started.code).toBe(0)
    for (const words of [
      ['--user', 'jane@acme.test'],
      ['--client', 'destination'],
    ])
      expect(refusalOf(await stack.run(['--json', 'token', 'issue', ...words, '--tenant', 'nope'])).next).toContain('--tenant')
    expect(refusalOf(await stack.run(['--json', 'destination', 'set', 'Name=X', 'Type=HTP'])).next).toContain('Type=HTTP')
    const alone = await stack.run(['curl', 'S4_DEMO', '/sap/bc/ping'])
    expect(alone.stdout).toContain('add --user <name>')
    const named = await stack.run(['curl', 'S4_DEMO', '/sap/bc/ping', '--user', 'jane@acme.test'])
    expect(named.stdout).not.toContain('--user')
  }, 90_000)
})
