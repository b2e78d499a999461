import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { skipUnless } from '@sallyport/real-backends'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createInstallation, type Installation } from './installation.ts'

const partners = '/sap/opu/odata/sap/API_BUSINESS_PARTNER/A_BusinessPartner'
const client = (name: string): string => join(import.meta.dirname, 'clients', `${name}.mjs`)

let stack: Installation
beforeAll(async () => {
  stack = await createInstallation()
  await stack.dev()
}, 60_000)
afterAll(async () => stack[Symbol.asyncDispose]())

const asJane = async (service = 'xsuaa'): Promise<string> =>
  (await stack.run(['token', 'issue', '--user', 'jane@acme.test', '--client', service, '--raw'])).stdout.trim()

describe('the local stack', () => {
  it('is ready, and says so with exit 0', async () => {
    const status = await stack.json<{ ready: boolean; parts: readonly { part: string; ready: boolean }[] }>(['status'])
    expect(status.ready).toBe(true)
    expect(status.parts.map((part) => part.part)).toEqual(
      expect.arrayContaining(['token service', 'destination service', 'connectivity proxy']),
    )
  })

  it('propagates a user through every hop', async () => {
    const answer = await stack.json<{
      status: number
      hops: readonly { name: string; ok: boolean; lines: readonly string[] }[]
      body: string
    }>(['curl', 'S4_DEMO', `${partners}?$top=1`, '--user', 'jane@acme.test'])
    expect(answer.hops.map((hop) => [hop.name, hop.ok])).toEqual(
      ['token', 'destination', 'proxy', 'tunnel', 'access', 'principal', 'backend'].map((name) => [name, true]),
    )
    expect(JSON.parse(answer.body)).toMatchObject({ d: { loggedOnUser: 'jane@acme.test', results: [{ BusinessPartner: '1000001' }] } })
    expect(answer.hops.find((hop) => hop.name === 'principal')?.lines[0]).toContain('CN=jane@acme.test')
  })

  it('explains a refusal, names the rule and ends with exit 4', async () => {
    const outcome = await stack.run(['curl', 'S4_DEMO', '/sap/bc/soap/rfc', '--user', 'jane@acme.test'])
    expect(outcome.code).toBe(4)
    expect(outcome.stdout).toMatch(/✖ .*\/sap\/bc\/soap\/rfc/)
    expect(outcome.stdout).toMatch(/admitted: \/sap\/opu\/odata\/ \(path and sub-paths\), \/sap\/bc\/ping \(exact\)/)
    expect(outcome.stdout).toContain('Access denied to resource /sap/bc/soap/rfc on system s4.demo:443')
  })

  it('says on its screen that a changed configuration cannot be used, and when it can again', async () => {
    const file = join(stack.data, 'demo.yaml')
    const good = readFileSync(file, 'utf8')
    const screen = (): string => readFileSync(join(stack.data, 'log', 'dev.out'), 'utf8')
    writeFileSync(file, good.replaceAll('internal:', 'intern:'))
    await expect
      .poll(screen, { timeout: 5_000 })
      .toMatch(/^ {2}✖ demo\.yaml:\d+:\d+ connectors.* \(and \d+ more\); the configuration before stays$/m)
    const table = await stack.run(['connector', 'status'])
    expect(table.stdout.trimEnd().split('\n')).toHaveLength(2)
    expect(table.stdout).toMatch(/ {2}demo\.yaml:\d+:\d+ connectors.* \(and \d+ more\)$/m)
    const { connectors } = await stack.json<{ connectors: readonly { configuration: string }[] }>(['connector', 'status'])
    expect(connectors[0]?.configuration.split('\n').length).toBeGreaterThan(1)
    writeFileSync(file, good)
    await expect.poll(screen, { timeout: 5_000 }).toMatch(/^ {2}✔ demo\.yaml was read again/m)
  })

  it('is not locked out by the record of a process that was killed and whose number somebody else has', async () => {
    const data = join(stack.folder, 'stale')
    mkdirSync(join(data, 'run'), { recursive: true })
    const record = { name: 'dev', pid: process.pid, url: 'http://127.0.0.1:9', secret: 'x', startedAtMs: 0 }
    writeFileSync(join(data, 'run', 'dev.json'), JSON.stringify(record))
    const status = await stack.run(['--json', 'status'], { data })
    expect(JSON.parse(status.stdout)).toEqual({ ready: false, parts: [] })
  })

  it('refuses a second start on the same data, and taken ports with their owner', async () => {
    const again = await stack.run(['dev', '--port-offset', String(stack.portOffset)])
    expect(again.code).toBe(1)
    expect(again.stderr).toContain('runs already')
    const elsewhere = await stack.run(['dev', '--port-offset', String(stack.portOffset)], { data: join(stack.folder, 'other') })
    expect(elsewhere.code).toBe(1)
    expect(elsewhere.stderr).toMatch(/taken: port \d+ by node \(pid \d+\)/)
    expect(elsewhere.stderr).toContain('--port-offset')
  })
})

describe('unmodified clients with only the printed bindings', () => {
  it('the SAP Cloud SDK reaches the system as the user', async () => {
    const outcome = await stack.run(['exec', '--', process.execPath, client('cloud-sdk'), 'S4_DEMO', `${partners}?$top=1`, await asJane()])
    expect(outcome.stderr + outcome.stdout).not.toContain('"error"')
    expect(JSON.parse(lastLine(outcome.stdout))).toMatchObject({ status: 200, data: { d: { loggedOnUser: 'jane@acme.test' } } })
  })

  it('CL-132 the SAP Cloud SDK fetches a CSRF token with HEAD and writes with it', async () => {
    const outcome = await stack.run([
      'exec',
      '--',
      process.execPath,
      client('cloud-sdk'),
      'S4_DEMO',
      partners,
      await asJane(),
      'post',
      JSON.stringify({ BusinessPartnerFullName: 'Moat Services', Country: 'AT' }),
    ])
    expect(JSON.parse(lastLine(outcome.stdout))).toMatchObject({
      status: 201,
      data: { d: { BusinessPartnerFullName: 'Moat Services', CreatedByUser: 'jane@acme.test' } },
    })
  })

  it('the SAP Cloud SDK reads "not found" as such', async () => {
    const outcome = await stack.run(['exec', '--', process.execPath, client('cloud-sdk'), 'NO_SUCH', '/', await asJane()])
    expect(outcome.code).toBe(1)
    expect(outcome.stdout).toMatch(/Failed to resolve the destination 'name: NO_SUCH'/)
  })

  it('@sap/xssec accepts the tokens and exchanges them', async () => {
    const outcome = await stack.run(['exec', '--', process.execPath, client('xssec'), await asJane()])
    expect(JSON.parse(lastLine(outcome.stdout))).toMatchObject({ user: 'jane@acme.test', tenant: 'demo', exchangedUser: 'jane@acme.test' })
  })

  it('CL-180 sap-cf-axios reaches the system as the user', async () => {
    const outcome = await stack.run(['exec', '--', process.execPath, client('cf-axios'), 'S4_DEMO', `${partners}?$top=1`, await asJane()])
    expect(JSON.parse(lastLine(outcome.stdout))).toMatchObject({ status: 200, data: { d: { loggedOnUser: 'jane@acme.test' } } })
  })

  it.skipIf(skipUnless('curl'))('curl --proxy works as in the product documentation', async () => {
    const token = (await stack.run(['token', 'issue', '--client', 'connectivity', '--raw'])).stdout.trim()
    const user = await asJane()
    const args = [
      '-sS',
      '-i',
      '--noproxy',
      '',
      '--proxy',
      `http://localhost:${stack.port('proxyHttp')}`,
      '-H',
      `Proxy-Authorization: Bearer ${token}`,
      '-H',
      `SAP-Connectivity-Authentication: Bearer ${user}`,
    ]
    const answer = await stack.program('curl', [...args, 'http://s4.demo:443/sap/bc/ping'])
    expect(answer.stdout).toMatch(/^HTTP\/1\.1 200/)
    expect(answer.stdout).toContain('"user":"jane@acme.test"')
    const verification = await stack.program('curl', [...args, 'http://virtual:1234/'])
    expect(verification.stdout).toContain('Access denied to system virtual:1234')
  })

  it('a TCP destination is reached through SOCKS5', async () => {
    const token = (await stack.run(['token', 'issue', '--client', 'connectivity', '--raw'])).stdout.trim()
    const socket = createConnection(stack.port('proxySocks5'), '127.0.0.1')
    const received: Buffer[] = []
    socket.on('data', (chunk) => received.push(chunk))
    const size = Buffer.alloc(4)
    size.writeUInt32BE(token.length)
    const host = Buffer.from('echo.demo')
    socket.write(
      Buffer.concat([
        Buffer.from([5, 1, 0x80]),
        Buffer.from([1]),
        size,
        Buffer.from(token),
        Buffer.from([0]),
        Buffer.from([5, 1, 0, 3, host.length]),
        host,
        Buffer.from([0, 7]),
      ]),
    )
    socket.end('hello through the tunnel')
    await new Promise((resolve, reject) => socket.once('end', resolve).once('error', reject))
    const bytes = Buffer.concat(received)
    expect([...bytes.subarray(0, 14)]).toEqual([5, 0x80, 1, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0])
    expect(bytes.subarray(14).toString()).toBe('hello through the tunnel')
  })
})

describe('commands', () => {
  it('administer destinations', async () => {
    expect(
      await stack.json([
        'destination',
        'set',
        'Name=A',
        'Type=HTTP',
        'URL=http://a.example',
        'ProxyType=Internet',
        'Authentication=BasicAuthentication',
        'User=u',
        'Password=p4ss',
      ]),
    ).toEqual({ name: 'A', outcome: 'created' })
    expect(
      await stack.json([
        'destination',
        'set',
        'Name=A',
        'Type=HTTP',
        'URL=http://b.example',
        'ProxyType=Internet',
        'Authentication=BasicAuthentication',
        'User=u',
        'Password=p4ss',
      ]),
    ).toEqual({ name: 'A', outcome: 'replaced' })
    expect(await stack.json(['destination', 'get', 'A'])).toMatchObject({ URL: 'http://b.example', Password: '(hidden)' })
    expect(await stack.json(['destination', 'get', 'A', '--reveal'])).toMatchObject({ Password: 'p4ss' })
    const found = await stack.json<{ authTokens: readonly { type: string }[] }>(['destination', 'find', 'A'])
    expect(found.authTokens[0]?.type).toBe('Basic')
    expect((await stack.run(['destination', 'delete', 'A'])).code).toBe(0)
    const gone = await stack.run(['destination', 'get', 'A'])
    expect(gone.code).toBe(1)
    expect(gone.stderr).toContain('DESTINATION_NOT_FOUND')
  })

  it('pass on the exit code of what exec runs', async () => {
    expect((await stack.run(['exec', '--', process.execPath, '-e', 'process.exit(7)'])).code).toBe(7)
    expect((await stack.run(['exec', '--', 'no-such-program-here'])).code).toBe(1)
  })

  it('answer a wrong call with usage and exit 2', async () => {
    for (const words of [
      ['curll'],
      ['token', 'issue', '--client', 'nobody'],
      ['dev', '--strict', '--lenient'],
      ['serve', 'nothing', '--config', 'x'],
    ]) {
      expect((await stack.run(words)).code, words.join(' ')).toBe(2)
    }
  })

  it('CL-010 write the bindings where CAP looks, and keep them out of version control', async () => {
    const project = join(stack.folder, 'project')
    mkdirSync(join(project, '.git'), { recursive: true })
    writeFileSync(join(project, '.gitignore'), 'node_modules\n')
    const outcome = await stack.program(
      process.execPath,
      [join(import.meta.dirname, '..', 'dist', 'main.js'), '--data', stack.data, '--json', 'bind', '--write', 'default-env.json'],
      {},
    )
    expect(outcome.code).toBe(0)
    const written = JSON.parse(readFileSync(join(stack.folder, 'default-env.json'), 'utf8')) as { VCAP_SERVICES: object }
    expect(Object.keys(written.VCAP_SERVICES)).toEqual(['xsuaa', 'destination', 'connectivity'])
  })

  it('find nothing wrong with this machine while the stack runs', async () => {
    const { findings } = await stack
      .json<{ findings: readonly { check: string; ok: boolean }[] }>(['doctor'])
      .catch(
        async () => JSON.parse((await stack.run(['--json', 'doctor'])).stdout) as { findings: readonly { check: string; ok: boolean }[] },
      )
    expect(findings.filter((finding) => finding.check !== 'proxy' && !finding.ok)).toEqual([])
  })
})

function lastLine(text: string): string {
  return (
    text
      .trim()
      .split('\n')
      .findLast((line) => line.startsWith('{')) ?? ''
  )
}
