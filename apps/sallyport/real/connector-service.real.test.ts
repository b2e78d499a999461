import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { skipUnless } from '@sallyport/real-backends'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createInstallation, type Installation } from '../e2e/installation.ts'
import { type ServiceManagerStandIn, settingsOf, standInForSystemd } from './service-process.ts'

const cfg = '/api/v1/configuration/connector'

let installation: Installation
beforeEach(async () => {
  installation = await createInstallation()
})
afterEach(() => installation[Symbol.asyncDispose]())

/** The unit that the command prints; the service is called like the data folder of the installation. */
async function printUnit(...words: readonly string[]): Promise<string> {
  const { unit } = await installation.json<{ unit: string }>(['connector', 'service', 'print', '--name', 'data', ...words])
  return unit
}

describe.skipIf(skipUnless('systemd-analyze'))('the unit of a connector', () => {
  it('is one that systemd understands wholly, and finds hardly anything exposed by', async () => {
    writeConfiguration('webhook.secret')
    const text = await printUnit('--program', '/bin/true', '--config', installation.file('connector.yaml'))
    const unit = installation.file('data.service')
    writeFileSync(unit, text)
    expect(analyze('verify', '--man=no', unit)).toEqual({ status: 0, complaints: '' })
    // 1.5 of 10; network, local sockets and the compiler of V8 cannot be given up.
    expect(analyze('security', '--offline=yes', '--threshold=20', unit).status).toBe(0)
    writeFileSync(unit, text.replaceAll(/^(Protect|Restrict|SystemCall|Capability|Private).*\n/gm, ''))
    expect(analyze('security', '--offline=yes', '--threshold=20', unit).status).toBe(1)
  })
})

describe.skipIf(skipUnless('systemd-notify', 'python3'))('a connector that runs as its unit says', () => {
  let manager: ServiceManagerStandIn
  beforeEach(async () => {
    manager = await standInForSystemd(installation.folder)
    mkdirSync(installation.data, { mode: 0o700 })
  })
  afterEach(() => manager[Symbol.dispose]())
  const start = (unit: string, watchdogUsec = 60_000_000) => manager.start(unit, { folder: installation.folder, watchdogUsec })

  it('finds its configuration and the files beside it among its credentials, says when it is ready, that it lives, and that it ends', async () => {
    writeConfiguration('webhook.secret')
    const unit = await printUnit('--config', installation.file('connector.yaml'))
    const process = start(unit, 400_000)
    const ended = once(process, 'exit')
    await manager.heard('READY=1')
    expect(await call('GET', cfg, 'Administrator:wrong')).toMatchObject({ status: 401 })
    await manager.heard('WATCHDOG=1')
    await manager.heard('WATCHDOG=1')
    process.kill('SIGTERM')
    await manager.heard('STOPPING=1')
    expect(await ended).toEqual([0, null])
  })

  it('is started again by the unit after a restore, and has what was restored then', async () => {
    const unit = await printUnit('--port-offset', String(installation.portOffset))
    const ended = once(start(unit), 'exit')
    await manager.heard('READY=1')
    const initial = readFileSync(join(installation.data, 'connector', 'initial-password'), 'utf8').trim()
    const password = { oldPassword: initial, newPassword: 'changed and long' }
    expect(await call('PUT', `${cfg}/authentication/basic`, `Administrator:${initial}`, password)).toMatchObject({ status: 204 })
    const admin = 'Administrator:changed and long'
    expect(await call('POST', `${cfg}/haRole`, admin, 'master')).toMatchObject({ status: 204 })
    await call('PUT', cfg, admin, { description: 'plant 7' })
    const { bytes } = await call('POST', '/api/v1/configuration/backup', admin, { password: 'pass word' })
    await call('PUT', cfg, admin, { description: 'later' })
    const form = new FormData()
    form.append('backup', new Blob([new Uint8Array(bytes)]), 'backup.zip')
    form.append('password', 'pass word')
    expect(await call('PUT', '/api/v1/configuration/backup', admin, form)).toMatchObject({ status: 204 })
    const [status] = await ended
    expect(settingsOf(unit, 'RestartForceExitStatus')).toEqual([String(status)])
    start(unit)
    await manager.heard('READY=1')
    expect(JSON.parse((await call('GET', cfg, admin)).bytes.toString())).toEqual({ ha: 'master', description: 'plant 7' })
  })
})

describe('connector service', () => {
  const words = (verb: string): readonly string[] => ['connector', 'service', verb, '--unit-folder', installation.folder]

  it('writes a unit, again, and removes it, but none that somebody else wrote', async () => {
    const unit = installation.file('sallyport-connector.service')
    const install = [...words('install'), '--program', '/opt/my node/sally$port%']
    expect(await installation.run(install)).toMatchObject({ code: 0 })
    expect(settingsOf(readFileSync(unit, 'utf8'), 'ExecStart')[0]).toMatch(
      /^"\/opt\/my node\/sally\$\$port%%" --data %S\/sallyport-connector /,
    )
    expect(await installation.run(install)).toMatchObject({ code: 0 })
    expect(await installation.run(words('uninstall'))).toMatchObject({ code: 0 })
    expect((await installation.run(words('uninstall'))).stderr).toContain('there is no')
    writeFileSync(unit, '[Unit]\n')
    for (const command of [install, words('uninstall')]) expect((await installation.run(command)).stderr).toContain('stays as it is')
    expect(readFileSync(unit, 'utf8')).toBe('[Unit]\n')
  })

  it('refuses what the service would not find, and says where it has to be', async () => {
    writeConfiguration('keys/webhook.secret')
    const config = ['--config', installation.file('connector.yaml')]
    const refused = await installation.run([...words('install'), '--program', '/usr/bin/sallyport', ...config])
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/keys\/webhook\.secret.*\n.*beside connector\.yaml/) })
    const hidden = await installation.run([...words('install'), '--program', '/home/jane/bin/sallyport'])
    expect(hidden).toMatchObject({ code: 1, stderr: expect.stringContaining('does not see /home/jane/bin/sallyport') })
    expect(await installation.run([...words('install'), '--name', '../x'])).toMatchObject({ code: 2 })
  })

  it.skipIf(!existsSync('/dev/shm'))(
    'sees through a link to what the service would not find, and keeps other links as they were named',
    async () => {
      const folder = mkdtempSync('/dev/shm/sallyport-')
      try {
        const [bad, good] = [join(folder, 'bad'), join(folder, 'good')]
        writeConfiguration('webhook.secret')
        symlinkSync(installation.file('connector.yaml'), bad)
        symlinkSync('/bin/true', good)
        const hidden = await installation.run([...words('install'), '--program', bad])
        expect(hidden).toMatchObject({ code: 1, stderr: expect.stringContaining('does not see') })
        expect(await printUnit('--program', good)).toContain(`ExecStart=${good} `)
      } finally {
        rmSync(folder, { recursive: true })
      }
    },
  )

  it.each([
    ['a line of its own', 'x\nExecStartPre=+touch gotcha'],
    ['a colon', 'web:hook'],
    ['a specifier', 'web%hook'],
    ['the name of the copy of the configuration', 'connector.yaml'],
  ])('hands over no file whose name is %s', async (_what, secret) => {
    writeConfiguration(JSON.stringify(secret), secret, 'other.yaml')
    const refused = await installation.run([...words('install'), '--program', '/bin/true', '--config', installation.file('other.yaml')])
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/cannot be a credential.*\n.*rename the file/) })
    expect(existsSync(installation.file('sallyport-connector.service'))).toBe(false)
  })

  it.each([['a\nb'], ['a\\'], ['a\u0007'], ['a ']])('takes no path %j into the unit', async (name) => {
    for (const paths of [
      ['--program', `/opt/${name}`],
      ['--program', '/bin/true', '--config', installation.file(name)],
    ])
      expect(await installation.run([...words('install'), ...paths])).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('in a unit'),
      })
  })

  it('hands over no more than systemd takes, and counts names', async () => {
    writeConfiguration('webhook.secret')
    const install = [...words('install'), '--program', '/bin/true', '--config', installation.file('connector.yaml')]
    const rest = statSync(installation.file('connector.yaml')).size + 'connector.yaml'.length + 'webhook.secret'.length
    writeFileSync(installation.file('webhook.secret'), Buffer.alloc(1_048_576 - rest, 'x'))
    expect(await installation.run(install)).toMatchObject({ code: 0 })
    writeFileSync(installation.file('webhook.secret'), Buffer.alloc(1_048_577 - rest, 'x'))
    expect(await installation.run(install)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/1048577 bytes.*1048576.*\n.*smaller, first webhook\.secret/),
    })
  })
})

/** Status, and everything that it complains of: what it does not understand it passes over with status 0. */
function analyze(...words: readonly string[]): { readonly status: number | null; readonly complaints: string } {
  const env = { PATH: process.env['PATH'], SYSTEMD_COLORS: '0' }
  const { status, stderr } = spawnSync('systemd-analyze', words, { encoding: 'utf8', env, timeout: 15_000 })
  return { status, complaints: stderr }
}

/** A configuration file beside which a secret lies, with a reference as YAML has it. */
function writeConfiguration(reference: string, secret = reference, name = 'connector.yaml'): void {
  const text = [
    'connectorAdmin:',
    `  port: ${installation.port('connectorAdmin')}`,
    '  alerts:',
    '    webhook:',
    '      url: https://127.0.0.1:1/alerts',
    `      secret: { file: ${reference} }`,
    '',
  ]
  writeFileSync(installation.file(name), text.join('\n'))
  mkdirSync(installation.file('keys'), { recursive: true })
  writeFileSync(installation.file(secret), 'sixteen characters or more')
}

async function call(
  method: string,
  path: string,
  auth: string,
  body?: unknown,
): Promise<{ readonly status: number; readonly bytes: Buffer }> {
  const form = body instanceof FormData ? new Response(body) : undefined
  const content = form === undefined ? JSON.stringify(body) : Buffer.from(await form.arrayBuffer())
  const headers = { 'content-type': form?.headers.get('content-type') ?? 'application/json' }
  const ca = readFileSync(join(installation.data, 'ca.crt'))
  return await new Promise((resolve, reject) => {
    const port = installation.port('connectorAdmin')
    const sent = request({ host: 'localhost', port, method, path, auth, headers, ca, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, bytes: Buffer.concat(chunks) }))
    })
    sent.on('error', reject).end(content)
  })
}
