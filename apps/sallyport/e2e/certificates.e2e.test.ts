import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { readKeystore } from '@sallyport/keystore'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createInstallation, type Installation } from './installation.ts'

let stack: Installation
beforeAll(async () => {
  stack = await createInstallation()
  const started = await stack.run(['dev', '--detach', '--wait', '40s', '--no-demo', '--port-offset', String(stack.portOffset)])
  if (started.code !== 0) throw new Error(`${started.stdout}${started.stderr}`)
}, 60_000)
afterAll(async () => stack[Symbol.asyncDispose]())

describe('sallyport certificate', () => {
  it('generates, lists, exports, imports and deletes', async () => {
    writeFileSync(stack.file('password'), 'key store password\n')
    const generated = await stack.json([
      'certificate',
      'generate',
      'client.p12',
      '--cn',
      'client',
      '--days',
      '30',
      '--renew',
      '--password-file',
      'password',
    ])
    expect(generated).toEqual({ name: 'client.p12', outcome: 'created' })
    const again = await stack.run(['certificate', 'generate', 'client.p12'])
    expect(again).toMatchObject({ code: 1, stderr: expect.stringMatching(/one of that name already[\s\S]*--replace/) as string })

    expect(await stack.json(['certificate', 'export', 'client.p12', '--out', 'exported.p12'])).toMatchObject({ file: 'exported.p12' })
    expect(statSync(stack.file('exported.p12')).mode & 0o777).toBe(0o600)
    const content = readFileSync(stack.file('exported.p12'))
    const { entries } = await readKeystore({ name: 'exported.p12', content, password: 'key store password' })
    const leaf = new X509Certificate(entries[0]?.certificates[0] ?? '')
    expect(leaf.subject).toContain('CN=client')
    expect(leaf.subject).toContain('L=localhost/demo')
    expect(Math.round((leaf.validToDate.getTime() - Date.now()) / 86_400_000)).toBe(30)

    expect(await stack.run(['certificate', 'export', 'client.p12', '--public', '--out', 'exported.p12'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/exported\.p12 exists already[\s\S]*--force/) as string,
    })
    expect(readFileSync(stack.file('exported.p12'))).toEqual(content)
    expect(await stack.json(['certificate', 'export', 'client.p12', '--out', 'exported.p12', '--force'])).toMatchObject({
      bytes: content.length,
    })
    const screen = await stack.run(['certificate', 'export', 'client.p12', '--public', '--out', '-'])
    expect(screen.stdout).toMatch(/^-----BEGIN CERTIFICATE-----/)

    await stack.json(['certificate', 'export', 'client.p12', '--public', '--out', 'public.pem'])
    expect(readFileSync(stack.file('public.pem'), 'utf8')).toBe(screen.stdout)
    const shown = readFileSync(stack.file('public.pem'), 'utf8')
    expect(shown.match(/BEGIN CERTIFICATE/g)).toHaveLength(3)
    expect(shown).not.toContain('PRIVATE')

    expect(await stack.json(['certificate', 'import', 'public.pem'])).toEqual({ name: 'public.pem', outcome: 'created' })
    expect(await stack.json(['certificate', 'import', 'public.pem'])).toEqual({ name: 'public.pem', outcome: 'replaced' })
    expect(await stack.json(['certificate', 'list'])).toMatchObject([
      { name: 'client.p12', privateKey: 'locked' },
      {
        name: 'public.pem',
        privateKey: 'no',
        endsAt: leaf.validToDate.toISOString(),
        subject: expect.stringMatching(/^CN=client,L=/) as string,
      },
    ])
    expect((await stack.run(['certificate', 'list'])).stdout).toMatch(/NAME +SUBJECT +ENDS +PRIVATE KEY\nclient\.p12 +\(locked\)/)
    expect(await stack.json(['certificate', 'delete', 'public.pem'])).toEqual({ name: 'public.pem', outcome: 'deleted' })
  }, 90_000)

  it('says what is wrong', async () => {
    writeFileSync(stack.file('broken.pem'), 'no certificate')
    writeFileSync(stack.file('empty.pem'), '')
    const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
      [['delete', 'none.pem'], 1, /no certificate "none\.pem" on the subaccount level[\s\S]*certificate list/],
      [['import', 'broken.pem'], 1, /storing the certificate "broken\.pem": The content cannot be used/],
      [['import', 'empty.pem'], 1, /"empty\.pem" is empty/],
      [['import', 'missing.pem'], 1, /"missing\.pem" cannot be read \(ENOENT\)/],
      [['generate', 'x.txt'], 1, /must end in \.pem/],
      [['generate', 'x.pem', '--days', '1', '--years', '1'], 2, /one of --days, --months and --years/],
      [['generate', 'x.pem', '--days', 'many'], 2, /whole number/],
      [['generate', 'x.pem', '--days', '10000'], 2, /whole number from 1 to 9999/],
      [['list', '--level', 'galaxy'], 2, /subaccount or instance/],
    ]
    for (const [words, code, text] of cases) {
      expect(await stack.run(['certificate', ...words])).toMatchObject({ code, stderr: expect.stringMatching(text) as string })
    }
  }, 60_000)
})

describe('sallyport trust', () => {
  it('makes, shows, rotates and deletes key pairs', async () => {
    expect(await stack.run(['trust', 'show'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/no trust key pair yet[\s\S]*trust generate/) as string,
    })
    expect(await stack.run(['trust', 'rotate'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('trust generate --passive') as string,
    })
    interface Shown {
      readonly role: string
      readonly fingerprint: string
    }
    const [active] = await stack.json<readonly Shown[]>(['trust', 'generate'])
    const [passive] = await stack.json<readonly Shown[]>(['trust', 'generate', '--passive'])
    expect(await stack.json<readonly Shown[]>(['trust', 'rotate'])).toMatchObject([
      { role: 'active', fingerprint: passive?.fingerprint },
      { role: 'passive', fingerprint: active?.fingerprint },
    ])
    expect((await stack.run(['trust', 'show', '--metadata', 'metadata.xml'])).stdout).toMatch(
      /ROLE +SUBJECT[\s\S]*active +CN=cfapps\.localhost\/demo/,
    )
    expect(readFileSync(stack.file('metadata.xml'), 'utf8').match(/<X509Certificate>/g)).toHaveLength(4)
    expect(await stack.json(['trust', 'delete'])).toEqual({ role: 'passive', outcome: 'deleted' })
  }, 90_000)

  it('renews what was generated here before its time, and nothing else', async () => {
    await stack.json(['certificate', 'generate', 'renewed.pem', '--cn', 'renewed', '--days', '30'])
    const leaf = async (): Promise<X509Certificate> => {
      await stack.json(['certificate', 'export', 'renewed.pem', '--out', 'renewed.pem', '--force'])
      return new X509Certificate(readFileSync(stack.file('renewed.pem')))
    }
    const before = await leaf()
    expect(await stack.json(['certificate', 'renew', 'renewed.pem'])).toEqual({ name: 'renewed.pem', outcome: 'renewed' })
    const after = await leaf()
    expect(after.subject).toBe(before.subject)
    expect(after.serialNumber).not.toBe(before.serialNumber)
    writeFileSync(stack.file('own.crt'), before.toString())
    await stack.json(['certificate', 'import', 'own.crt'])
    expect(await stack.run(['certificate', 'renew', 'own.crt'])).toMatchObject({ code: 1, stderr: expect.stringContaining('was uploaded') })
    expect(await stack.run(['--json', 'certificate', 'renew', 'none.pem'])).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('NOT_FOUND'),
    })
  })
})

describe('sallyport audit', () => {
  it('verifies the logs of every part while they run, and says where one was altered', async () => {
    const verify = (...words: readonly string[]) => stack.run(['--json', 'audit', 'verify', ...words])
    const intact = await verify()
    expect(intact.code).toBe(0)
    const { logs } = JSON.parse(intact.stdout) as {
      readonly logs: readonly { readonly log: string; readonly folder: string; readonly entries: number }[]
    }
    expect(JSON.parse(intact.stdout)).toMatchObject({ intact: true })
    const log = logs.find((one) => one.log === 'destination-service')
    expect(log?.entries).toBeGreaterThan(0)
    const folder = join(log?.folder ?? '', 'demo')
    const file = readdirSync(folder).find((name) => name.endsWith('.csv')) ?? ''
    const text = readFileSync(join(folder, file), 'utf8')
    writeFileSync(join(folder, file), text.replace('renewed.pem', 'changed.pem'))
    const altered = await verify('--log', 'destination-service')
    expect(altered.code).toBe(1)
    expect(JSON.parse(altered.stdout)).toMatchObject({
      intact: false,
      logs: [{ log: 'destination-service', problems: [{ subaccount: 'demo', file, problem: expect.stringContaining('altered') }] }],
    })
    expect((await stack.run(['audit', 'verify', '--log', 'destination-service'])).stdout).toContain(`demo: ${file}:`)
    expect(await verify('--log', 'nothing')).toMatchObject({ code: 2, stdout: expect.stringContaining('USAGE') })
    expect(await stack.run(['--json', 'audit', 'verify'], { data: stack.file('nowhere') })).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('NOT_FOUND'),
    })
    writeFileSync(join(folder, file), text)
    expect((await verify()).code).toBe(0)
  })

  it('CC-148 CC-149 exports what is selected as a gzip CSV with a manifest, while services run', async () => {
    const out = stack.file('audit.tar')
    const words = ['audit', 'export', '--log', 'destination-service', '--out', out, '--pattern', 'renew?d.p*', '--from', '2020-01-01']
    const { entries } = await stack.json<{ readonly entries: number }>(words)
    expect(entries).toBeGreaterThan(0)
    const member = (name: string): Buffer => execFileSync('tar', ['-xOf', out, name])
    const [, ...rows] = gunzipSync(member('audit-log.csv.gz')).toString('utf8').trimEnd().split('\n')
    expect(rows).toHaveLength(entries)
    expect(rows.every((row) => row.includes('renewed.pem'))).toBe(true)
    expect(member('manifest.txt').toString('utf8')).toContain(`Entries: ${entries}\nFrom: 2020-01-01T00:00:00.000Z\nTo: any\n`)
    expect(await stack.run(['--json', ...words])).toMatchObject({ code: 1, stdout: expect.stringContaining('it is there already') })
    const none = [...words.slice(0, 5), stack.file('none.tar'), ...words.slice(6), '--to', '2020-01-31', '--type', 'access-denied']
    expect(await stack.json(none)).toMatchObject({ entries: 0 })
    expect(await stack.run(['--json', ...none, '--to', 'yesterday'])).toMatchObject({ code: 2, stdout: expect.stringContaining('USAGE') })
  })
})
