import { once } from 'node:events'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createTestCa } from '@sallyport/test-fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { subaccounts, writeConfiguration } from './company.ts'
import { createInstallation, type Installation, type Outcome } from './installation.ts'

let machine: Installation
beforeEach(async () => {
  machine = await createInstallation()
})
afterEach(() => machine[Symbol.asyncDispose]())

const offset = (): readonly string[] => ['--port-offset', String(machine.portOffset)]
const parsed = ({ code, stdout }: Outcome): any => ({ code, ...(JSON.parse(stdout) as object) })
const json = async (words: readonly string[], options: Parameters<Installation['run']>[1] = {}): Promise<any> =>
  parsed(await machine.run(['--json', ...words], options))

describe('whoever administers a connector from elsewhere', () => {
  it('names its address, a certificate and a password; another certificate or password is refused, and nothing is trusted blindly', async () => {
    machine.start(['serve', 'connector', '--compat-default-password', ...offset()])
    await machine.ready(1)
    const elsewhere = machine.file('elsewhere')
    const url = `https://localhost:${machine.port('connectorAdmin')}`
    const password = machine.file('password')
    writeFileSync(password, 'manage\n', { mode: 0o600 })
    const certificate = join(machine.data, 'ca.crt')
    const list = (more: readonly string[], environment: Record<string, string> = {}) =>
      json(['mapping', 'list', '--url', url, ...more], { data: elsewhere, environment })
    const withPassword = ['--password-file', password]
    expect(await list(withPassword)).toMatchObject({ code: 2, error: { message: expect.stringContaining('--certificate') } })
    expect(await list(['--certificate', certificate])).toMatchObject({
      code: 2,
      error: { message: expect.stringContaining('password of Administrator is missing') },
    })
    const other = machine.file('other.crt')
    writeFileSync(other, createTestCa().certificate)
    expect(await list([...withPassword, '--certificate', other])).toMatchObject({ code: 1, error: { code: 'PEER_UNTRUSTED' } })
    expect(await list(['--certificate', certificate], { SALLYPORT_CONNECTOR_PASSWORD: 'wrong' })).toMatchObject({
      code: 4,
      error: { code: 'ACCESS_DENIED', next: expect.stringContaining('no password is needed') },
    })
    // Logged on, and told what comes first; the user of the operating system has no password to change.
    expect(await list([...withPassword, '--certificate', certificate])).toMatchObject({
      code: 4,
      error: { next: expect.stringContaining('change the password of Administrator') },
    })
    expect(await json(['mapping', 'list', '--url', 'http://localhost'], { data: elsewhere })).toMatchObject({ code: 2 })
    expect(await json(['connector', 'change-role', 'master'])).toMatchObject({ code: 0 })
    expect(await json(['mapping', 'list'])).toMatchObject({ code: 0, mappings: [] })
    expect(existsSync(elsewhere)).toBe(false)
  }, 60_000)
})

describe('where a file configures the connector', () => {
  it('what it says is listed and tried, and every change is refused with its form for the file', async () => {
    const file = writeConfiguration(
      machine.file('sallyport.yaml'),
      `${subaccounts}connectors:\n  - mappings: [{ virtual: "erp.demo:80", internal: "http://127.0.0.1:1", resources: [{ path: /sap, subPaths: true }] }]\n`,
    )
    await machine.dev(['--config', file, '--no-demo'])
    expect((await json(['mapping', 'list'])).mappings).toMatchObject([{ virtualHost: 'erp.demo', totalResourcesCount: 1 }])
    expect(await json(['mapping', 'try', 'erp.demo:80', '/sap/x'])).toMatchObject({ code: 0, allowed: true, resource: { id: '/sap' } })
    expect(await json(['mapping', 'check', 'erp.demo:80'])).toMatchObject({ code: 1, checked: [{ state: 'Unreachable' }] })
    const refused = async (words: readonly string[]): Promise<string> => {
      const { code, error } = await json(words)
      expect({ code, error }).toMatchObject({ code: 4, error: { code: 'ACCESS_DENIED', message: expect.stringContaining(file) } })
      return error.next
    }
    expect(await refused(['mapping', 'add', 'new.demo:443', 'https://10.0.0.5:44300', '--principal', 'X509_GENERAL'])).toContain(
      '- {"virtual":"new.demo:443","internal":"https://10.0.0.5:44300","principalType":"X509_GENERAL"}',
    )
    expect(await refused(['resource', 'add', 'erp.demo:80', '/new', '--sub-paths'])).toContain('- {"path":"/new","subPaths":true}')
    expect(await refused(['mapping', 'remove', 'erp.demo:80'])).toContain('take it out')
    expect(await refused(['channel', 'add', 'K8S', 'cp/x', '--port', '7000'])).toContain('"k8sCluster":"cp/x"')
    expect(await refused(['principal', 'ca', 'generate', '--subject', 'CN=x'])).toContain('"ca":')
    expect(await refused(['connector', 'subaccount', 'disconnect'])).toContain('take it out')
    expect(await refused(['connector', 'backup', machine.file('b.zip'), '--backup-password-file', file])).toContain('copy')
    for (const words of [['--config', file], [file]])
      expect(await json(['config', 'validate', ...words])).toMatchObject({ code: 0, valid: true })
    expect(await json(['config', 'validate', file, '--config', 'other'])).toMatchObject({ code: 2 })
  }, 90_000)
})

describe('a connector whose tunnel does not open', () => {
  it('says why in its status', async () => {
    const cloud = machine.start([
      'serve',
      'token-service,connectivity-proxy',
      '--config',
      writeConfiguration(machine.file('server.yaml'), subaccounts),
      ...offset(),
    ])
    const data = machine.file('connector')
    machine.start(['serve', 'connector', ...offset()], { data })
    await machine.ready(2)
    await machine.ready(1, { data })
    await machine.run(['connector', 'change-role', 'master'], { data })
    const code = await machine.run(['connector', 'code', '--authentication-data'])
    expect(await json(['connector', 'subaccount', 'add', '--authentication-data', '-'], { data, input: code.stdout })).toMatchObject({
      code: 0,
    })
    await machine.run(['stop'])
    if (cloud.exitCode === null) await once(cloud, 'exit')
    const failed = await json(['connector', 'subaccount', 'disconnect'], { data })
    expect(failed.code).toBe(0)
    expect(await json(['connector', 'subaccount', 'connect'], { data })).toMatchObject({
      code: 1,
      error: { code: 'TUNNEL_NOT_OPENED', next: expect.stringContaining('connector status') },
    })
    const status = await machine.run(['connector', 'status'], { data })
    expect(status.code).toBe(3)
    expect(status.stdout).toMatch(/✖ demo, location "": .*(cannot be reached|refused|ECONNREFUSED)/i)
    await machine.run(['stop'], { data })
  }, 90_000)
})

describe('an archive of the whole configuration', () => {
  it('is made with a password, for its owner alone, and brings everything back at the next start', async () => {
    const words = ['serve', 'connector', ...offset()]
    const first = machine.start(words)
    await machine.ready(1)
    await machine.run(['connector', 'change-role', 'master'])
    await json(['principal', 'subject-pattern', 'add', 'CN=x', '--when', 'email exists'])
    const [archive, password] = [machine.file('backup.zip'), machine.file('password')]
    writeFileSync(password, 'secret')
    const locked = ['--backup-password-file', password]
    expect(await json(['connector', 'backup', archive, ...locked])).toMatchObject({ code: 0 })
    expect(statSync(archive).mode & 0o777).toBe(0o600)
    expect(readFileSync(archive).subarray(0, 2).toString()).toBe('PK')
    await json(['principal', 'subject-pattern', 'remove', '0'])
    writeFileSync(password, 'wrong')
    expect(await json(['connector', 'restore', archive, ...locked])).toMatchObject({ code: 1 })
    writeFileSync(password, 'secret')
    expect(await json(['connector', 'restore', archive, ...locked])).toMatchObject({ code: 0, outcome: 'restored' })
    if (first.exitCode === null) await once(first, 'exit')
    expect(first.exitCode).toBe(42)
    machine.start(words)
    await machine.ready(1)
    expect((await json(['principal', 'subject-pattern', 'list'])).rules).toMatchObject([
      { condition: 'email exists' },
      { condition: 'always true' },
    ])
  }, 90_000)
})
