// What users do first, before it is published: installs each adapter from its tarball with only its peer into an empty folder, with npm and with
// pnpm, without install scripts, and uses it from an ES module and from CommonJS, on Node 22 and on this one. Needs the builds and the registry.
// `pnpm installs [adapter …]`
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import './require-node.mjs'
import { runBounded } from './run-bounded.ts'

const root = join(import.meta.dirname, '..')

/** On a quiet machine it takes a quarter of this. What was not tried by then is said to have failed. */
const endMs = performance.now() + 480_000

function run(program, args, { cwd, timeoutMs = 120_000 } = {}) {
  return runBounded(program, args, { cwd, timeoutMs: Math.max(1, Math.min(timeoutMs, Math.round(endMs - performance.now()))) })
}

/** Peer, factory and destination of each; the server behind `$port` hangs up, and `ping` is what a client makes of that. */
const adapters = {
  http: { peers: ['undici'], factory: 'createHttpAdapter', properties: { Type: 'HTTP', URL: 'http://127.0.0.1:$port' } },
  tcp: { peers: [], factory: 'createTcpAdapter', properties: { Type: 'TCP', Address: '127.0.0.1:$port' }, ping: 'OK' },
  ldap: {
    peers: ['ldapjs'],
    factory: 'createLdapAdapter',
    properties: { Type: 'LDAP', 'ldap.url': 'ldap://127.0.0.1:$port' },
  },
  smtp: {
    peers: ['nodemailer'],
    factory: 'createSmtpAdapter',
    properties: { Type: 'MAIL', 'mail.transport.protocol': 'smtp', 'mail.smtp.host': '127.0.0.1', 'mail.smtp.port': '$port' },
  },
  imap: {
    peers: ['imapflow'],
    factory: 'createImapAdapter',
    properties: { Type: 'MAIL', 'mail.transport.protocol': 'imap4', 'mail.imap4.host': '127.0.0.1', 'mail.imap4.port': '$port' },
  },
  rfc: {
    peers: [],
    factory: 'createRfcAdapter',
    binding: 'createClassicBinding',
    properties: {
      Type: 'RFC',
      'jco.client.ashost': '127.0.0.1',
      'jco.client.sysnr': '00',
      'jco.client.client': '100',
      'jco.client.user': 'USER',
      'jco.client.passwd': 'password',
    },
  },
  pop3: {
    peers: [],
    factory: 'createPop3Adapter',
    properties: { Type: 'MAIL', 'mail.transport.protocol': 'pop3', 'mail.pop3.host': '127.0.0.1', 'mail.pop3.port': '$port' },
  },
}

const wanted = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'sallyport-installs-'))
try {
  process.exitCode = await checkAll()
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** Exit code: 3 when the registry is out of reach, so that nothing is known. */
async function checkAll() {
  let node22
  try {
    node22 = await installNode22()
  } catch (error) {
    console.log(`the registry is out of reach: ${error.message}`)
    return 3
  }
  const tarballs = await pack()
  let failed = 0
  for (const [name, adapter] of Object.entries(adapters)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue
    for (const manager of ['npm', 'pnpm']) {
      const checked = { manager, tarballs, nodes: [process.execPath, node22] }
      const problem = await check(name, adapter, checked).catch((error) => `${error.message}\n${error.output?.stderr ?? ''}`)
      console.log(`@sallyport/${name}, installed with ${manager}: ${problem ?? 'works on Node 22 and 24, imported and required'}`)
      if (problem !== undefined) failed += 1
    }
  }
  return failed === 0 ? 0 : 1
}

/** The tarballs as they would be published, by package name. */
async function pack() {
  const kept = join(folder, 'tarballs')
  await run(process.execPath, [join(root, 'tooling/check-packages.mjs'), '--keep', kept], { cwd: root }).catch((error) => {
    throw new Error(`the packages cannot be packed:\n${error.output?.stdout ?? error.message}`)
  })
  const packed = readdirSync(kept).map(async (file) => {
    const tarball = join(kept, file)
    const { stdout } = await run('tar', ['-xzOf', tarball, 'package/package.json'])
    const manifest = JSON.parse(stdout)
    return [manifest.name, { tarball, manifest }]
  })
  return new Map(await Promise.all(packed))
}

async function installNode22() {
  const app = join(folder, 'node22')
  mkdirSync(app)
  // Known within seconds, where an install would try for minutes.
  await run('npm', ['view', 'node@22', 'version', '--fetch-retries=1', '--fetch-timeout=10000'], { timeoutMs: 40_000 })
  await run('npm', ['install', '--prefix', app, '--no-audit', '--no-fund', 'node@22'], { timeoutMs: 180_000 })
  return join(app, 'node_modules/node/bin/node')
}

/** What is wrong with one adapter installed by one package manager, or nothing. */
async function check(
  name,
  { peers, factory, binding, properties, ping = 'BACKEND_UNREACHABLE or SERVICE_UNAVAILABLE' },
  { manager, tarballs, nodes },
) {
  const app = join(folder, `${name}-${manager}`)
  mkdirSync(app)
  const adapter = `@sallyport/${name}`
  const ours = Object.fromEntries(closure(adapter, tarballs).map((each) => [each, `file:${tarballs.get(each).tarball}`]))
  const ranges = Object.fromEntries(peers.map((peer) => [peer, tarballs.get(adapter).manifest.peerDependencies[peer]]))
  writeFileSync(join(app, 'package.json'), JSON.stringify({ name: 'app', private: true, dependencies: { ...ours, ...ranges } }))
  // Not published yet, so pnpm would look for them in the registry.
  if (manager === 'pnpm') writeFileSync(join(app, 'pnpm-workspace.yaml'), JSON.stringify({ overrides: ours }))
  await run(manager === 'npm' ? 'npm' : 'npx', [...(manager === 'npm' ? [] : ['-y', 'pnpm@12']), 'install', '--ignore-scripts'], {
    cwd: app,
    timeoutMs: 120_000,
  })
  const spec = JSON.stringify({ factory, binding, properties: { Name: 'D', ProxyType: 'Internet', ...properties } })
  copyFileSync(join(import.meta.dirname, 'installs/use-adapter.cjs'), join(app, 'use-adapter.cjs'))
  const modules = [adapter, '@sallyport/core']
  writeFileSync(
    join(app, 'imported.mjs'),
    `import use from './use-adapter.cjs'\n${modules.map((each, at) => `import * as m${at} from '${each}'`).join('\n')}\nawait use(m0, m1, ${spec})\n`,
  )
  writeFileSync(
    join(app, 'required.cjs'),
    `require('./use-adapter.cjs')(${modules.map((each) => `require('${each}')`).join(', ')}, ${spec})\n`,
  )
  for (const node of nodes) {
    for (const file of ['imported.mjs', 'required.cjs']) {
      const { stdout } = await run(node, [file], { cwd: app, timeoutMs: 60_000 })
      const seen = stdout.trim().replace('ping: ', '')
      // Whether the end of a connection comes with a reset is the network's choice.
      if (!ping.split(' or ').includes(seen)) return `${file} on ${node}: expected ${ping}, saw "${seen}"`
    }
  }
  return undefined
}

/** A package of ours with those it depends on. */
function closure(name, tarballs, found = new Set()) {
  if (found.has(name) || !tarballs.has(name)) return [...found]
  found.add(name)
  for (const dependency of Object.keys(tarballs.get(name).manifest.dependencies ?? {})) closure(dependency, tarballs, found)
  return [...found]
}
