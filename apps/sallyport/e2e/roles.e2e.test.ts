import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Company, startCompany, subaccounts, writeConfiguration } from './company.ts'
import { createInstallation, type Installation } from './installation.ts'

const partners = '/sap/opu/odata/sap/API_BUSINESS_PARTNER/A_BusinessPartner?$top=1'

/** Token service, destination service, connectivity proxy, connectivity service. */
const cloudParts = 4

let stack: Installation
let company: Company
let onPremise: string
const processes = new Map<string, ChildProcess>()

const startRole = (role: string): void => {
  const connector = role === 'connector'
  const words = [
    'serve',
    role,
    '--config',
    stack.file(connector ? 'connector.yaml' : 'server.yaml'),
    '--port-offset',
    String(stack.portOffset),
  ]
  processes.set(role, stack.start(words, connector ? { data: onPremise } : {}))
}
const kill = async (role: string): Promise<void> => {
  const child = processes.get(role)
  if (child === undefined) throw new Error(`${role} was not started`)
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}
const asJane = (path = partners): Promise<{ status: number; body: string }> =>
  stack.json(['curl', 'S4_DEMO', path, '--user', 'jane@acme.test'])

beforeAll(async () => {
  stack = await createInstallation()
  company = await startCompany(stack.folder)
  onPremise = join(stack.folder, 'on-premise')
  writeConfiguration(stack.file('server.yaml'), subaccounts)
  writeConfiguration(stack.file('connector.yaml'), `version: 1\n${company.connectors()}`)
  for (const role of ['token-service', 'destination-service', 'connectivity-proxy']) {
    startRole(role)
    await stack.ready(role === 'connectivity-proxy' ? cloudParts : processes.size)
  }
  const { code } = await stack.json<{ code: string }>(['connector', 'code', '--subaccount', 'demo'])
  const init = await stack.run(
    [
      'connector',
      'init',
      '--server',
      `https://localhost:${stack.port('connectivityApi')}`,
      '--authority',
      join(stack.data, 'ca.crt'),
      '--config',
      stack.file('connector.yaml'),
    ],
    { data: onPremise, environment: { SALLYPORT_PAIRING_CODE: code } },
  )
  if (init.code !== 0) throw new Error(`${init.stdout}${init.stderr}`)
  startRole('connector')
  await stack.ready(1, { data: onPremise })
}, 120_000)
afterAll(async () => {
  await stack.run(['stop'], { data: onPremise }).catch(() => {})
  await stack[Symbol.asyncDispose]()
  await company[Symbol.asyncDispose]()
})

describe('each role in its own process', () => {
  it('the propagated request succeeds', async () => {
    const answer = await asJane()
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body)).toMatchObject({ d: { loggedOnUser: 'jane@acme.test' } })
  })

  it.runIf(process.platform === 'linux')('servers run with a heap made for transfers, in the process that was started', () => {
    for (const [role, { pid }] of processes)
      expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8'), role).toContain('--initial-old-space-size=')
  })

  it('destinations lead nowhere into the network of the servers, unless their configuration allows it', async () => {
    const url = `URL=http://127.0.0.1:${stack.port('proxyHttp')}/`
    await stack.json(['destination', 'set', 'Name=INSIDE', 'Type=HTTP', 'ProxyType=Internet', 'Authentication=NoAuthentication', url])
    const { code, stdout } = await stack.run(['--json', 'destination', 'check', 'INSIDE'])
    expect({ code, verdict: JSON.parse(stdout) as unknown }).toMatchObject({
      code: 1,
      verdict: {
        successful: false,
        hops: [{ hop: 'address', ok: false, detail: expect.stringContaining('must not be called') as string }],
      },
    })
  })

  it('a refusal of a connector that runs elsewhere is told as one: exit 4', async () => {
    const outcome = await stack.run(['curl', 'S4_DEMO', '/not/exposed', '--user', 'jane@acme.test'])
    expect(outcome.code).toBe(4)
    expect(outcome.stdout).toMatch(/access +✖ Access denied to resource \/not\/exposed/)
  })

  it.each<[string, readonly string[], string, number, RegExp]>([
    ['nothing on standard input', ['--code-file', '-'], '\n', 2, /--code-file "-" is empty/],
    ['something else on standard input', ['--code-file', '-'], 'x'.repeat(2_000), 2, /holds no pairing code/],
    ['a file that is not there', ['--code-file', 'missing'], '', 1, /"missing" cannot be read \(ENOENT\)/],
    ['two codes', ['--code-file', '-', '--code', 'x'], '', 2, /cannot be used with/],
    ['no code', [], '', 2, /the pairing code \(--code-file, or SALLYPORT_PAIRING_CODE\) is missing/],
  ])('pairing says what is wrong with %s', async (_what, words, input, exit, message) => {
    const given = ['connector', 'init', '--server', 'https://localhost:1', '--authority', join(stack.data, 'ca.crt'), ...words]
    const outcome = await stack.run(given, { data: join(stack.folder, 'c'), input })
    expect(outcome.stderr).toMatch(message)
    expect(outcome.code).toBe(exit)
  })

  it('a pairing code works once', async () => {
    const { code } = await stack.json<{ code: string }>(['connector', 'code', '--subaccount', 'demo'])
    const words = [
      'connector',
      'init',
      '--server',
      `https://localhost:${stack.port('connectivityApi')}`,
      '--authority',
      join(stack.data, 'ca.crt'),
      '--location',
      'plant',
    ]
    writeFileSync(stack.file('code'), `${code}\n`)
    const first = await stack.run([...words, '--code-file', stack.file('code')], { data: join(stack.folder, 'a') })
    expect(first.stderr).toBe('')
    const second = await stack.run([...words, '--code-file', '-'], { data: join(stack.folder, 'b'), input: `${code}\n` })
    expect(second.code).toBe(4)
    expect(second.stderr).toContain('PAIRING_REFUSED')
  })

  it('connector offline: 504 while it may be coming back, then 503; both audited', async () => {
    await kill('connector')
    const send = async (): Promise<{ status: number; body: string }> => {
      const outcome = await stack.run(['--json', 'curl', 'S4_DEMO', partners, '--user', 'jane@acme.test'])
      return JSON.parse(outcome.stdout) as { status: number; body: string }
    }
    expect(await send()).toMatchObject({ status: 504, body: expect.stringContaining('Timed out waiting for tunnel to open') })
    expect(await send()).toMatchObject({ status: 503, body: expect.stringContaining('no SAP Cloud Connector (SCC) connected') })
    startRole('connector')
    await stack.ready(1, { data: onPremise })
    expect((await asJane()).status).toBe(200)
    const audit = globSync('**/audit/**/*.csv', { cwd: stack.data })
      .map((file) => readFileSync(join(stack.data, file), 'utf8'))
      .join('')
    expect(audit).toMatch(/access-denied.*http 504/)
    expect(audit).toMatch(/access-denied.*http 503/)
  }, 90_000)

  it.each(['connector', 'connectivity-proxy', 'token-service', 'destination-service'])(
    'after kill -9 of %s and a restart the next request succeeds; nobody else is touched',
    async (role) => {
      await kill(role)
      startRole(role)
      await (role === 'connector' ? stack.ready(1, { data: onPremise }) : stack.ready(cloudParts))
      if (role === 'connectivity-proxy') await stack.ready(1, { data: onPremise })
      const answer = await asJane()
      expect(answer.status).toBe(200)
      expect([...processes].filter(([other, child]) => other !== role && child.exitCode !== null)).toEqual([])
    },
    60_000,
  )

  it('no accepted destination write is lost when the destination service is killed while writing', async () => {
    const accepted: string[] = []
    const writer = { stopped: false }
    const writing = (async () => {
      for (let at = 0; !writer.stopped; at++) {
        const name = `KILLED_${at}`
        const outcome = await stack.run([
          'destination',
          'set',
          `Name=${name}`,
          'Type=HTTP',
          `URL=http://host-${at}.example`,
          'ProxyType=Internet',
        ])
        if (outcome.code === 0) accepted.push(name)
      }
    })()
    while (accepted.length < 3) await new Promise((resolve) => setTimeout(resolve, 20))
    await kill('destination-service')
    writer.stopped = true
    await writing
    startRole('destination-service')
    await stack.ready(cloudParts)
    const found = await stack.json<readonly { Name: string; URL: string }[]>(['destination', 'list'])
    const urls = new Map(found.map((entry) => [entry.Name, entry.URL]))
    const audit = globSync('**/destination-audit/**/*.csv', { cwd: stack.data })
      .map((file) => readFileSync(join(stack.data, file), 'utf8'))
      .join('')
    for (const name of accepted) {
      expect(urls.get(name)).toBe(`http://host-${name.slice('KILLED_'.length)}.example`)
      expect(audit).toContain(`destination ${name} created`)
    }
  }, 60_000)
})
