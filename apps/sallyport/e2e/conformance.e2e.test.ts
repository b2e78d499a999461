import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatAddress, parseAddress } from '@sallyport/core'
import { createConnectProxy } from '@sallyport/test-fixtures'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ConformanceWorld, issueUserTokens, prepareConformanceWorld } from './conformance-target.ts'
import { startConnectingFront, startFullClosingFront } from './faulty-front.ts'
import { createInstallation, type Installation } from './installation.ts'

interface Report {
  readonly ok: boolean
  readonly summary: { readonly passed: number; readonly failed: number; readonly skipped: number; readonly knownGaps: number }
  readonly results: readonly {
    readonly suite: string
    readonly subject: string
    readonly name: string
    readonly ids: readonly string[]
    readonly outcome: string
    readonly failure?: { readonly message: string; readonly expected?: string; readonly actual?: string }
  }[]
}

let stack: Installation
let world: ConformanceWorld
beforeAll(async () => {
  stack = await createInstallation()
  world = await prepareConformanceWorld(stack)
  const options = ['--no-demo', '--config', 'sallyport.yaml', '--port-offset', String(stack.portOffset)]
  const started = await stack.run(['dev', '--detach', '--wait', '40s', ...options])
  if (started.code !== 0) throw new Error(`${started.stdout}${started.stderr}`)
  await issueUserTokens(stack)
}, 60_000)
afterAll(async () => stack[Symbol.asyncDispose]())

/** A target whose bindings name other ports of the proxy. */
function withPorts(ports: Readonly<Record<string, string>>): string {
  const file = JSON.parse(readFileSync(join(stack.data, 'default-env.json'), 'utf8')) as {
    VCAP_SERVICES: { connectivity: { credentials: Record<string, string> }[] }
  }
  Object.assign(file.VCAP_SERVICES.connectivity[0]?.credentials ?? {}, ports)
  writeFileSync(stack.file('faulty-env.json'), JSON.stringify(file), { mode: 0o600 })
  return world.writeTarget('faulty.json', { bindings: { file: 'faulty-env.json' }, limitSeconds: 2 })
}

async function failuresOf(
  words: readonly string[],
): Promise<{ readonly code: number; readonly failed: Report['results']; readonly report: Report }> {
  const { code, stdout, stderr } = await stack.run(['--json', 'conformance', ...words], { timeoutMs: 100_000 })
  if (stdout === '') throw new Error(`no report: ${stderr}`)
  const report = JSON.parse(stdout) as Report
  return { code, report, failed: report.results.filter(({ outcome }) => outcome === 'failed') }
}

describe('the suites pointed at our own stack', () => {
  it('pass as a whole: services, dials, both listeners, every adapter', async () => {
    const target = world.writeTarget('target.json')
    const words = ['conformance', '--target', target, '--report', 'report.xml']
    const { code, stdout, stderr } = await stack.run(words, { timeoutMs: 120_000 })
    expect(stdout).not.toContain('✖')
    expect(code, stderr).toBe(0)
    expect(stdout).toMatch(/^Conformance of our own stack\n/)
    expect(stdout).toMatch(/^ {2}✔ CP-014 passes an absolute-form request on to the mapped backend {2}\d+ ms$/m)
    expect(stdout).toMatch(/^ {2}- CP-039 asks for no token where it trusts its network {2}skipped: needs trusted$/m)
    expect(stdout.trimEnd()).toMatch(/\n\d+ cases: \d+ passed, \d+ skipped in [\d.]+ s$/)
    for (const group of ['services · bindings', 'dial · socks5', 'http · listener', 'socks5 · listener', 'rfc · socks5', 'adapters · http'])
      expect(stdout).toMatch(new RegExp(`^${group} {2}\\d+ passed`, 'm'))
    for (const adapter of ['tcp', 'ldap (ldapjs)', 'ldap (ldapts)', 'smtp', 'imap', 'pop3', 'rfc (classic)', 'rfc (soap)'])
      expect(stdout).toContain(`adapters · ${adapter}  1`)
    // Nobody looks at a terminal: one line for each suite, and none that is written over.
    expect(stderr).toMatch(/^socks5 · listener: \d+ passed$/m)
    expect(stderr).not.toContain('\r')
    expect(readFileSync(stack.file('report.xml'), 'utf8')).toMatch(/^<\?xml [^]*<testsuite name="socks5 listener" tests="\d+" failures="0"/)
  }, 130_000)

  it('hold the dial to its contract through a proxy with CONNECT as well, where the target has one', async () => {
    const password = 'pass-of-the-forward-proxy'
    const listens = new Map(world.tcp.map(({ virtual, listen }) => [virtual, parseAddress(listen)]))
    await using proxy = await createConnectProxy({
      credentials: { user: 'me', password },
      route: (authority) => listens.get(authority) ?? 'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n',
    })
    writeFileSync(stack.file('password'), password, { mode: 0o600 })
    const httpConnect = { proxy: formatAddress(proxy.address), user: 'me', password: { file: 'password' } }
    const target = world.writeTarget('connect.json', { httpConnect })
    const { code, failed, report } = await failuresOf(['--target', target, '--only', 'dial'])
    expect(failed).toEqual([])
    const passed = report.results.filter(({ subject, outcome }) => subject === 'http connect' && outcome === 'passed')
    expect(passed.map(({ name }) => name)).toContain('still sends after the far side has ended')
    expect(passed.map(({ name }) => name)).toContain('tells each refusal by its code, and leaves nothing open')
    expect(code).toBe(0)
    expect(proxy.heads[0]).toMatch(/^CONNECT tcp\d\.conformance:700\d HTTP\/1\.1\r\n/)
  }, 60_000)

  it('run in part, and then say what of it', async () => {
    const { code, report } = await failuresOf(['--target', world.writeTarget('target.json'), '--only', 'socks5,http', '--case', 'cp-074'])
    expect(code).toBe(0)
    expect(report.results.map(({ suite, ids }) => [suite, ids])).toEqual([['socks5', ['CP-074']]])
  })

  it('keep known gaps honest: one that passes fails the run', async () => {
    const knownGaps = { 'socks5/listener': { 'answers an IPv6 address with 08': 'it once answered 01' } }
    const target = world.writeTarget('gap.json', { knownGaps })
    const { code, failed } = await failuresOf(['--target', target, '--only', 'socks5', '--case', 'CP-072'])
    expect(code).toBe(1)
    expect(failed[0]?.failure?.message).toContain('listed as a known gap (it once answered 01)')
  })
})

describe('the suites pointed at something broken', () => {
  it('name the cases that fail at a proxy that answers CONNECT with 200, with what was expected and seen', async () => {
    await using front = await startConnectingFront(stack.port('proxyHttp'))
    const target = withPorts({ onpremise_proxy_http_port: String(front.port), onpremise_proxy_port: String(front.port) })
    const words = ['--target', target, '--only', 'http', '--report', 'faulty.md']
    const { code, failed } = await failuresOf(words)
    expect(code).toBe(1)
    expect(failed.map(({ ids }) => ids)).toEqual([['CP-016']])
    expect(failed[0]?.failure).toEqual({ message: 'status: expected 200 to be 405', expected: '405', actual: '200' })
    expect(readFileSync(stack.file('faulty.md'), 'utf8')).toMatch(/^\| answers CONNECT with 405, .* \| CP-016 \| failed \| status: /m)
    const text = await stack.run(['conformance', '--target', target, '--only', 'http', '--case', 'CP-016'])
    expect(text.stdout).toMatch(/✖ CP-016 .*\n {6}status: expected 200 to be 405\n {6}expected {2}405\n {6}seen {6}200\n/)
    expect(text.code).toBe(1)
  }, 60_000)

  it('name the cases that fail at a proxy that does not half-close', async () => {
    await using front = await startFullClosingFront(stack.port('proxySocks5'))
    const target = withPorts({ onpremise_socks5_proxy_port: String(front.port) })
    const { code, failed } = await failuresOf(['--target', target, '--only', 'socks5,dial', '--case', 'end'])
    expect(code).toBe(1)
    expect(failed.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'lets the far side answer after our side has ended',
        'still sends after the far side has ended',
        'passes the end of the application on, and the answer after it',
        'passes the end of the backend on, and what the application says after it',
        'serves an application that ends its side before anything was answered',
      ]),
    )
    expect(failed.map(({ name }) => name)).not.toContain('tells each refusal by its code, and leaves nothing open')
  }, 60_000)

  it('name what passes unread where calls of RFC go through mappings of type TCP, and skip it where nothing else is claimed', async () => {
    const farSide = { rfc: world.tcp.map(({ virtual, listen }) => ({ virtual, listen })) }
    const { code, failed } = await failuresOf(['--target', world.writeTarget('unread.json', { farSide }), '--only', 'rfc'])
    expect(code).toBe(1)
    expect(failed.flatMap(({ ids }) => ids).toSorted()).toEqual(['PR-095', 'PR-098', 'PR-100', 'PR-101'])
    expect(failed).toHaveLength(4)
    const claimed = world.writeTarget('claimed.json', { farSide, features: { relay: false } })
    const { stdout, code: left } = await stack.run(['conformance', '--target', claimed, '--only', 'rfc'])
    expect(stdout).toMatch(/- PR-095 denies a function .* {2}skipped: needs relay$/m)
    expect(stdout.trimEnd()).toMatch(/\n26 cases: 21 passed, 5 skipped in [\d.]+ s$/)
    expect(left).toBe(0)
  }, 60_000)

  it('say so when there is no token, once for each suite', async () => {
    const file = JSON.parse(readFileSync(join(stack.data, 'default-env.json'), 'utf8')) as {
      VCAP_SERVICES: { connectivity: { credentials: Record<string, string> }[] }
    }
    Object.assign(file.VCAP_SERVICES.connectivity[0]?.credentials ?? {}, { clientsecret: 'a-secret-that-is-wrong' })
    writeFileSync(stack.file('wrong-env.json'), JSON.stringify(file), { mode: 0o600 })
    const target = world.writeTarget('wrong.json', { bindings: { file: 'wrong-env.json' } })
    const { code, failed } = await failuresOf(['--target', target, '--only', 'http,socks5'])
    expect(code).toBe(1)
    expect(failed.map(({ suite, failure }) => [suite, failure?.message.slice(0, 23)])).toEqual([
      ['http', 'no token for the proxy:'],
      ['socks5', 'no token for the proxy:'],
    ])
    expect(JSON.stringify(failed)).not.toContain('a-secret-that-is-wrong')
  })
})

describe('a target file that cannot be used', () => {
  const tried = async (changes: Readonly<Record<string, unknown>>, more: readonly string[] = []) =>
    stack.run(['conformance', '--target', world.writeTarget('bad.json', changes), ...more])

  it.each([
    ['a key that does not exist', { locaton: 'x' }, /bad\.json:1:\d+ .*locaton/],
    ['an address that is none', { notExposed: 'hidden' }, /notExposed: write host:port/],
    ['too few addresses', { farSide: { tcp: [{ virtual: 'a:1', listen: '127.0.0.1:1' }] } }, /farSide\.tcp: three addresses at least/],
    ['no addresses', { farSide: {} }, /farSide: name addresses under tcp, http or rfc/],
    ['bindings that do not exist', { bindings: { file: 'nowhere.json' } }, /nowhere\.json/],
    ['a suite without such a case', { knownGaps: { http: { 'dances on the table': 'why' } } }, /there is no such case in this suite/],
    [
      'a suite that does not exist',
      { knownGaps: { https: {} } },
      /there is no such suite; there are services, dial, http, socks5, rfc, adapters/,
    ],
    ['one user', { users: [{ file: 'jane.jwt' }] }, /users: two users, or none/],
    ['a user without a file', { users: [{ file: 'jane.jwt' }, { file: 'nobody.jwt' }] }, /nobody\.jwt does not exist/],
  ])('with %s ends with 2 and says what and where', async (_, changes, message) => {
    const { code, stderr } = await tried(changes)
    expect(stderr).toMatch(message)
    expect(code).toBe(2)
  })

  it('and options that cannot be used end with 2 as well', async () => {
    expect(await tried({}, ['--only', 'https'])).toMatchObject({ code: 2, stderr: expect.stringContaining('--only takes services, dial') })
    expect(await tried({}, ['--report', 'report.pdf'])).toMatchObject({ code: 2, stderr: expect.stringContaining('.md, .json or .xml') })
    expect(await tried({}, ['--only', 'dial', '--case', 'no such case'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no case of dial matches "no such case"'),
    })
    expect(await stack.run(['conformance'])).toMatchObject({ code: 2 })
  })

  it('and a far side where somebody else listens ends with 2', async () => {
    await using taken = await startConnectingFront(1)
    const farSide = { tcp: [1, 2, 3].map((at) => ({ virtual: `a${at}:1`, listen: `127.0.0.1:${taken.port + (at === 1 ? 0 : at)}` })) }
    const { code, stderr } = await tried({ farSide, users: [] })
    expect(stderr).toMatch(/somebody else listens at 127\.0\.0\.1:\d+/)
    expect(code).toBe(2)
  })
})
