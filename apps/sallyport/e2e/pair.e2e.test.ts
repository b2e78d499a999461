import { createPublicKey, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Company, startCompany, subaccounts, writeConfiguration } from './company.ts'
import { createInstallation, type Installation } from './installation.ts'

const cfg = '/api/v1/configuration/connector'

/** One connector that is administered, in a process and a folder of its own. */
interface Connector {
  readonly installation: Installation
  child: ChildProcess
}

let cloud: Installation
let company: Company
let first: Connector
let second: Connector

const start = (installation: Installation): ChildProcess =>
  installation.start(['serve', 'connector', '--compat-default-password', '--port-offset', String(installation.portOffset)])

async function startConnector(role: 'master' | 'shadow'): Promise<Connector> {
  const installation = await createInstallation()
  const connector = { installation, child: start(installation) }
  await installation.ready(1)
  const password = { oldPassword: 'manage', newPassword: 'changed' }
  await must(204, connector, 'PUT', `${cfg}/authentication/basic`, password, 'manage')
  await must(204, connector, 'POST', `${cfg}/haRole`, role)
  return connector
}

/** A call of the set-up: another status ends it. */
async function must(status: number, ...call_: Parameters<typeof call>): Promise<Answer> {
  const answer = await call(...call_)
  if (answer.status !== status) throw new Error(`${call_[1]} ${call_[2]} answered ${answer.status} ${answer.bytes.toString()}`)
  return answer
}

async function until(condition: () => Promise<boolean>, seconds: number): Promise<void> {
  const deadline = Date.now() + seconds * 1000
  while (!(await condition().catch(() => false))) {
    if (Date.now() > deadline) throw new Error(`it did not happen within ${seconds} s`)
    await sleep(100)
  }
}
const answers = async (): Promise<boolean> => (await cloud.json<{ status: number }>(['curl', 'PLAIN_DEMO', '/'])).status === 200
const roleOf = async (connector: Connector): Promise<string> => (await call(connector, 'GET', `${cfg}/haRole`)).json()

async function kill({ child }: Connector): Promise<void> {
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

beforeAll(async () => {
  cloud = await createInstallation()
  company = await startCompany(cloud.folder)
  writeConfiguration(cloud.file('server.yaml'), subaccounts)
  const roles = 'token-service,destination-service,connectivity-proxy'
  cloud.start(['serve', roles, '--config', cloud.file('server.yaml'), '--port-offset', String(cloud.portOffset)])
  first = await startConnector('master')
  second = await startConnector('shadow')
  await cloud.ready(4)
  const { authenticationData } = await cloud.json<{ authenticationData: string }>([
    'connector',
    'code',
    '--subaccount',
    'demo',
    '--authentication-data',
  ])
  const added = await must(201, first, 'POST', '/api/v1/configuration/subaccounts', { authenticationData })
  const mappings = `/api/v1/configuration/subaccounts/${added.json().regionHost}/demo/systemMappings`
  const mapping = {
    virtualHost: 'plain.demo',
    virtualPort: '80',
    localHost: '127.0.0.1',
    localPort: String(company.ports.http),
    protocol: 'HTTP',
    backendType: 'nonSAPsys',
    authenticationMode: 'NONE',
  }
  await must(201, first, 'POST', mappings, mapping)
  await must(201, first, 'POST', `${mappings}/plain.demo:80/resources`, { id: '/', enabled: true })
  const authority = { type: 'selfsigned', keySize: 2048, subjectDN: 'CN=Pair CA' }
  await must(201, first, 'POST', `${cfg}/onPremises/ppCaCertificate`, authority)
  // Another pattern than every fresh installation has.
  const rules = `${cfg}/onPremises/subjectPatternRules`
  const byMail = { condition: { variable: 'mail', operator: 'exist' }, subjectPattern: { CN: '${mail}', O: 'Pair' } }
  await must(201, first, 'POST', rules, byMail)
  await must(204, first, 'PUT', `${rules}/1`, { subjectPattern: { CN: '${name}', O: 'Pair' } })
  await must(204, first, 'PUT', `${cfg}/ha/master/config`, { haEnabled: true })
  const looksAfter = {
    masterHost: '127.0.0.1',
    masterPort: first.installation.port('connectorAdmin'),
    ownHost: '127.0.0.1',
    checkIntervalInSeconds: 1,
    takeoverDelayInSeconds: 1,
  }
  await must(200, second, 'PUT', `${cfg}/ha/shadow/config`, looksAfter)
  const logOn = { op: 'CONNECT', user: 'Administrator', password: 'changed' }
  await must(204, second, 'POST', `${cfg}/ha/shadow/state`, logOn)
}, 120_000)
afterAll(async () => {
  for (const each of [first, second]) await each?.installation[Symbol.asyncDispose]()
  await cloud[Symbol.asyncDispose]()
  await company[Symbol.asyncDispose]()
})

describe('two connectors in processes of their own', () => {
  it('the shadow takes over after the master was killed, and the next request succeeds', async () => {
    expect(await answers()).toBe(true)
    await kill(first)
    await until(async () => (await roleOf(second)) === 'master', 30)
    await until(answers, 30)
  }, 70_000)

  it('PP-054 then issues certificates with the same authority, by the same rules', async () => {
    const der = { accept: 'application/pkix-cert' }
    const authority = new X509Certificate((await call(second, 'GET', `${cfg}/onPremises/ppCaCertificate`, undefined, 'changed', der)).bytes)
    expect(authority.subject).toBe('CN=Pair CA')
    for (const [sample, name] of [
      ['0/sampleCertificate?mail=jane%40acme.test', 'jane@acme.test'],
      ['1/sampleCertificate?name=jane', 'jane'],
    ]) {
      const path = `${cfg}/onPremises/subjectPatternRules/${sample}`
      const made = new X509Certificate((await call(second, 'GET', path, undefined, 'changed', der)).bytes)
      expect(made.subject).toBe(`O=Pair\nCN=${name}`)
      expect(made.verify(createPublicKey(authority.publicKey.export({ type: 'spki', format: 'pem' })))).toBe(true)
    }
  })

  it('the former master comes back as the shadow of the new one', async () => {
    first.child = start(first.installation)
    await first.installation.ready(1)
    expect(await roleOf(first)).toBe('shadow')
    await until(async () => (await call(second, 'GET', `${cfg}/ha/master/state`)).json().state === 'CONNECTED', 20)
    expect(await answers()).toBe(true)
  }, 60_000)

  it('CC-179 a restore ends the process with 42, keeps differing start options apart, and the next start has what was restored', async () => {
    const options = join(second.installation.data, 'connector', 'props.ini')
    mkdirSync(join(second.installation.data, 'connector'), { recursive: true })
    writeFileSync(options, 'heap=1024M\n')
    const { bytes } = await call(second, 'POST', '/api/v1/configuration/backup', { password: 'pass word' })
    writeFileSync(options, 'heap=2048M\n')
    expect(await call(second, 'PUT', cfg, { description: 'later than the backup' })).toMatchObject({ status: 200 })
    const form = new FormData()
    form.append('backup', new Blob([new Uint8Array(bytes)]), 'backup.zip')
    form.append('password', 'pass word')
    const encoded = new Response(form)
    const type = { 'content-type': encoded.headers.get('content-type') ?? '' }
    const ended = once(second.child, 'exit')
    const answer = await call(second, 'PUT', '/api/v1/configuration/backup', Buffer.from(await encoded.arrayBuffer()), 'changed', type)
    expect(answer.status).toBe(204)
    expect(await ended).toEqual([42, null])
    expect([readFileSync(options, 'utf8'), existsSync(`${options}.restored`)]).toEqual(['heap=2048M\n', true])
    second.child = start(second.installation)
    await second.installation.ready(1)
    expect((await call(second, 'GET', cfg)).json()).toEqual({ ha: 'master', description: '' })
    await until(answers, 30)
    expect([await roleOf(first), await roleOf(second)]).toEqual(['shadow', 'master'])
    await until(async () => (await call(second, 'GET', `${cfg}/ha/master/state`)).json().state === 'CONNECTED', 20)
  }, 90_000)

  it('a command says of a change that a killed shadow cannot have what was made, until when it may be lost, and what to do', async () => {
    await kill(first)
    const add = (path: string): Promise<{ readonly code: number; readonly stdout: string }> =>
      second.installation.run(['--json', 'resource', 'add', 'plain.demo:80', path])
    const { code, stdout } = await add('/made-alone')
    expect([code, JSON.parse(stdout)]).toMatchObject([
      1,
      {
        error: {
          message: expect.stringMatching(/is made and in force here .*may take over within \d+ s, until \d{4}-/),
          next: expect.stringMatching(/repeat this change, or make any other, in \d+ s or as soon as the shadow is back/),
        },
      },
    ])
    first.child = start(first.installation)
    await first.installation.ready(1)
    await until(async () => (await call(first, 'GET', `${cfg}/ha/shadow/state`)).json().state === 'READY', 20)
    expect(await add('/made-together')).toMatchObject({ code: 0 })
    // Stopped in an orderly way, it holds nobody up.
    const gone = once(first.child, 'exit')
    first.child.kill('SIGTERM')
    await gone
    expect(await add('/made-without')).toMatchObject({ code: 0 })
    const listed = await second.installation.run(['--json', 'resource', 'list', 'plain.demo:80'])
    for (const path of ['/made-alone', '/made-together', '/made-without']) expect(listed.stdout).toContain(path)
  }, 90_000)
})

interface Answer {
  readonly status: number
  readonly bytes: Buffer
  json(): any
}

function call(
  { installation }: Connector | { readonly installation: Installation },
  method: string,
  path: string,
  body?: unknown,
  password = 'changed',
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: 'localhost',
        port: installation.port('connectorAdmin'),
        method,
        path,
        ca: readFileSync(join(installation.data, 'ca.crt')),
        auth: `Administrator:${password}`,
        agent: false,
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => {
          const bytes = Buffer.concat(chunks)
          resolve({ status: response.statusCode ?? 0, bytes, json: () => JSON.parse(bytes.toString()) })
        })
      },
    )
    sent.on('error', reject).end(body === undefined || Buffer.isBuffer(body) ? body : JSON.stringify(body))
  })
}
