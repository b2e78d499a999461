import { execFileSync, spawn } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest'
import { type AuthenticationWorld, openAuthenticationWorld } from './authentication-world.ts'
import { type AuthenticationType, authenticationTypes } from './authentication-types.ts'
import type { Echo } from './echo-backend.ts'
import { installJava, installPython, type Installed } from './foreign-languages.ts'
import './hosts.mjs'

interface Outcome {
  readonly url?: string | null
  readonly data?: Echo
  readonly error?: string
}

type Call = Readonly<Record<string, string>>

const clients = join(import.meta.dirname, 'clients')
const trustPassword = 'changeit'

let world: AuthenticationWorld
let python: Installed
let java: Installed
beforeAll(async () => {
  ;[python, java] = await Promise.all([installPython(), installJava()])
  for (const installed of [python, java]) {
    // oxlint-disable-next-line no-console -- a skip has to be seen
    if ('missing' in installed) console.warn(`skipped: ${installed.missing}`)
  }
  if ('missing' in python && 'missing' in java) return
  world = await openAuthenticationWorld({ hostNames: true })
}, 400_000)
afterAll(async () => world?.[Symbol.asyncDispose]())

/** Runs a program with the calls on its standard input and the bindings in its environment. */
async function ask(
  program: string,
  args: readonly string[],
  environment: Record<string, string>,
  calls: readonly Call[],
): Promise<readonly Outcome[]> {
  const child = spawn(program, args, { env: { ...process.env, ...environment }, stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.end(JSON.stringify(calls))
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
  const line = out.split('\n').findLast((each) => each.startsWith('[{'))
  if (line === undefined) throw new Error(`${program} answered ${out}${err}`.slice(0, 4000))
  return JSON.parse(line) as readonly Outcome[]
}

const callOf = ({ destination, user, refreshToken, path }: AuthenticationType): Call => ({
  destination,
  ...(path === undefined ? {} : { path }),
  ...(user === true ? { userToken: world.user.token } : {}),
  ...(refreshToken === true ? { refreshToken: world.user.refreshToken } : {}),
})

/** Authorities of the stack and of the partner in one file. */
function trustFile(): string {
  const file = world.stack.file('trusted.pem')
  writeFileSync(file, readFileSync(join(world.stack.data, 'ca.crt'), 'utf8') + world.partnerAuthority)
  return file
}

function askPython(installed: { readonly folder: string }, calls: readonly Call[]): Promise<readonly Outcome[]> {
  const { clientid = '', clientsecret = '', url = '', uri = '', identityzone = '' } = world.services.credentials.destination
  const binding = Object.entries({ clientid, clientsecret, url, uri, identityzone })
  const variables = binding.map(([name, value]) => [`CLOUD_SDK_CFG_DESTINATION_DEFAULT_${name.toUpperCase()}`, value])
  const trust = trustFile()
  return ask(
    join(installed.folder, 'bin', 'python'),
    [join(clients, 'cloud_sdk.py')],
    { ...Object.fromEntries(variables), PYTHONPATH: join(clients, 'hosts'), REQUESTS_CA_BUNDLE: trust, SSL_CERT_FILE: trust },
    calls,
  )
}

function askJava(installed: { readonly folder: string }, calls: readonly Call[]): Promise<readonly Outcome[]> {
  const trust = world.stack.file('trusted.p12')
  rmSync(trust, { force: true })
  writeFileSync(world.stack.file('partner.crt'), world.partnerAuthority)
  for (const [alias, file] of [
    ['stack', join(world.stack.data, 'ca.crt')],
    ['partner', world.stack.file('partner.crt')],
  ]) {
    const store = ['-keystore', trust, '-storetype', 'PKCS12', '-storepass', trustPassword]
    execFileSync('keytool', ['-importcert', '-noprompt', '-alias', alias ?? '', '-file', file ?? '', ...store], { stdio: 'ignore' })
  }
  const hosts = world.stack.file('hosts')
  const names = ['', 'acme.', 'buyer.'].map((prefix) => `127.0.0.1 ${prefix}authentication.sallyport.test\n`)
  writeFileSync(hosts, `127.0.0.1 localhost\n${names.join('')}`)
  const file = JSON.parse(readFileSync(join(world.stack.data, 'default-env.json'), 'utf8')) as { readonly VCAP_SERVICES: unknown }
  const properties = [
    `-Djdk.net.hosts.file=${hosts}`,
    `-Djavax.net.ssl.trustStore=${trust}`,
    `-Djavax.net.ssl.trustStorePassword=${trustPassword}`,
  ]
  const path = [join(installed.folder, 'lib', '*')].join(delimiter)
  return ask(
    'java',
    [...properties, '-cp', path, join(clients, 'java', 'Calls.java')],
    { VCAP_SERVICES: JSON.stringify(file.VCAP_SERVICES) },
    calls,
  )
}

function requireClient(installed: Installed, { skip }: TestContext): { readonly folder: string } {
  if ('missing' in installed) return skip(installed.missing)
  return installed
}

describe('the unmodified SAP Cloud SDK for Python', () => {
  it('DS-140 finds destinations of every authentication type and reaches the backend with what the service has prepared', async (context) => {
    const installed = requireClient(python, context)
    // On-premise destinations are for the transparent proxy there; the SDK neither forwards a token nor adds queries itself.
    const types = authenticationTypes.filter(({ destination }) => !/PRINCIPAL|ON_PREMISE|FORWARDED|NONE/.test(destination))
    const outcomes = await askPython(installed, types.map(callOf))
    for (const [at, type] of types.entries()) {
      expect(outcomes[at]?.error, type.destination).toBeUndefined()
      type.reached(outcomes[at]!.data!, world)
    }
  }, 60_000)

  it('DS-140 looks at the subscriber first, or at the provider, as the strategy says', async (context) => {
    const installed = requireClient(python, context)
    const calls = [
      ['BOTH', 'SUBSCRIBER_FIRST'],
      ['BOTH', 'PROVIDER_FIRST'],
      ['PROVIDER_ONLY', 'SUBSCRIBER_FIRST'],
      ['PROVIDER_ONLY', 'SUBSCRIBER_ONLY'],
    ].map(([destination = '', strategy = '']) => ({ destination, strategy, tenant: 'buyer' }))
    const outcomes = await askPython(installed, calls)
    expect(outcomes.map(({ url, error }) => error ?? url)).toEqual([
      `${world.backend.url}/subscriber`,
      `${world.backend.url}/provider`,
      `${world.backend.url}/provider`,
      null,
    ])
  }, 60_000)
})

describe('the unmodified SAP Cloud SDK for Java', () => {
  it('DS-140 finds destinations of every authentication type and reaches the backend with what the service has prepared', async (context) => {
    const installed = requireClient(java, context)
    const types = authenticationTypes.map((type) =>
      type.destination === 'CLIENT_CERTIFICATE' ? { ...type, destination: 'CLIENT_CERTIFICATE_JAVA' } : type,
    )
    const outcomes = await askJava(installed, types.map(callOf))
    for (const [at, type] of types.entries()) {
      expect(outcomes[at]?.error, type.destination).toBeUndefined()
      type.reached(outcomes[at]!.data!, world)
    }
  }, 120_000)

  it('DS-140 takes the destination of the tenant of the user, or of the provider, as the strategy says', async (context) => {
    const installed = requireClient(java, context)
    const userToken = (await world.stack.run(['token', 'issue', '--user', 'eve@buyer.test', '--tenant', 'buyer', '--raw'])).stdout.trim()
    const calls = [
      { destination: 'BOTH', userToken },
      { destination: 'BOTH', userToken, strategy: 'ALWAYS_PROVIDER' },
      { destination: 'PROVIDER_ONLY', userToken, strategy: 'ALWAYS_PROVIDER' },
    ]
    const [missing, ...outcomes] = await askJava(installed, [
      { destination: 'PROVIDER_ONLY', userToken, strategy: 'ONLY_SUBSCRIBER' },
      ...calls,
    ])
    expect(missing?.error).toContain('DestinationNotFoundException')
    expect(outcomes.map(({ data, error }) => error ?? data?.path)).toEqual(['/subscriber/x', '/provider/x', '/provider/x'])
  }, 120_000)
})
