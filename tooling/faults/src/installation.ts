import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { type Application, openApplication, virtualHost } from './application.ts'
import { administrator, type CallConnector, createConnectorRest, type RestAnswer } from './connector-rest.ts'
import { createMachine, type Machine, readText } from './machine.ts'
import { addressOf, hostOf } from './network.ts'
import { until } from './wait.ts'

/** A connector of the pair, and the way to its administration. */
export interface Connector {
  readonly machine: Machine
  readonly call: CallConnector
}

/** A server, a pair of connectors that administrators configure, and a back end, each on a machine of its own. */
export interface Installation {
  readonly cloud: Machine
  readonly connectors: readonly [Connector, Connector]
  readonly application: Application
  /** Requests that the back end has been holding so far. */
  heldSoFar(): Promise<number>
  /** Which connector is what now. @throws Error when none or both are the master. */
  roles(): Promise<{ readonly master: Connector; readonly shadow: Connector }>
  /** Settles when everything runs as it should: one master, its shadow in step with it, and a request succeeds. */
  steady(patienceMs: number): Promise<void>
}

const cfg = '/api/v1/configuration/connector'
/** Path of the subaccount that the pair serves. */
export const subaccountPath: string = `/api/v1/configuration/subaccounts/${hostOf('cloud')}/demo`
const startPatienceMs = 60_000

/** Starts everything; it ends with the isolation. */
export async function startInstallation(clockLibrary: string | undefined): Promise<Installation> {
  await startBackend()
  const services = 'token-service,destination-service,connectivity-proxy'
  const cloud = createMachine('cloud', { serve: [services, '--config', 'cloud.json'], port: 8445, clockLibrary })
  writeFileSync(join(cloud.data, 'cloud.json'), JSON.stringify(cloudConfiguration))
  cloud.start()
  const [first, second] = (['first', 'second'] as const).map((name) => {
    const machine = createMachine(name, { serve: ['connector', '--config', 'connector.json'], port: 8443, clockLibrary })
    writeFileSync(join(machine.data, 'connector.json'), JSON.stringify({ version: 1, connectorAdmin: { host: '0.0.0.0' } }))
    machine.start()
    return { machine, call: createConnectorRest(machine) }
  }) as [Connector, Connector]
  await setUp(first, 'master')
  await setUp(second, 'shadow')
  await until('the server starts', async () => (await cloud.command(['connector', 'code'])) !== undefined, startPatienceMs)
  const { authenticationData } = (await cloud.command(['connector', 'code', '--subaccount', 'demo', '--authentication-data'])) as {
    readonly authenticationData: string
  }
  await must(201, first.call('POST', '/api/v1/configuration/subaccounts', { authenticationData }))
  await expose(first)
  await pair(first, second)
  const application = await openApplication(cloud)
  const installation: Installation = {
    cloud,
    connectors: [first, second],
    application,
    heldSoFar: async () => Number(await fromBackend('/arrived')),
    async roles() {
      const roles = await Promise.all([roleOf(first), roleOf(second)])
      if (roles[0] === roles[1]) throw new Error(`both connectors are ${roles[0]}`)
      return roles[0] === 'master' ? { master: first, shadow: second } : { master: second, shadow: first }
    },
    async steady(patienceMs) {
      await until('everything runs as it should', () => isSteady(installation), patienceMs)
    },
  }
  await installation.steady(startPatienceMs)
  return installation
}

async function isSteady({ application, roles }: Installation): Promise<boolean> {
  const { master, shadow } = await roles()
  const [masterState, shadowState] = await Promise.all([stateOf(master, 'master'), stateOf(shadow, 'shadow')])
  if (masterState !== 'CONNECTED' || shadowState !== 'READY') throw new Error(`master is ${masterState}, shadow ${shadowState}`)
  const { outcome } = await application.get('/steady', 5_000)
  if (outcome !== 200) throw new Error(`a request got ${outcome}`)
  return true
}

async function setUp(connector: Connector, role: 'master' | 'shadow'): Promise<void> {
  const { call, machine } = connector
  const initial = (): string => readText(machine, 'connector', 'initial-password').trim()
  const started = async (): Promise<boolean> => (await call('GET', `${cfg}/haRole`, undefined, { password: initial() })).status > 0
  await until(`${machine.name} starts`, started, startPatienceMs).catch((error: unknown) => {
    throw new Error(`${machine.name} did not start; it said ${machine.complaints()}`, { cause: error })
  })
  const change = { oldPassword: initial(), newPassword: administrator.password }
  await must(204, call('PUT', `${cfg}/authentication/basic`, change, { password: change.oldPassword }))
  await must(204, call('POST', `${cfg}/haRole`, role))
}

async function expose({ call }: Connector): Promise<void> {
  const mapping = { ...mappingTo(virtualHost), localHost: hostOf('backend') }
  await must(201, call('POST', `${subaccountPath}/systemMappings`, mapping))
  await must(201, call('POST', `${subaccountPath}/systemMappings/${virtualHost}:80/resources`, { id: '/', enabled: true }))
  await must(204, call('PATCH', `${cfg}/auditLog/subaccounts/${hostOf('cloud')}/demo`, { level: 'ALL' }))
}

/** With the shortest times that the settings allow. */
async function pair(master: Connector, shadow: Connector): Promise<void> {
  await must(204, master.call('PUT', `${cfg}/ha/master/config`, { haEnabled: true }))
  await must(
    200,
    shadow.call('PUT', `${cfg}/ha/shadow/config`, {
      masterHost: addressOf(master.machine.name),
      masterPort: 8443,
      ownHost: addressOf(shadow.machine.name),
      checkIntervalInSeconds: 1,
      takeoverDelayInSeconds: 1,
    }),
  )
  await must(204, shadow.call('POST', `${cfg}/ha/shadow/state`, { op: 'CONNECT', ...administrator }))
}

/** A mapping of this name, as the API takes it. */
export function mappingTo(name: string): Readonly<Record<string, string>> {
  return {
    virtualHost: name,
    virtualPort: '80',
    localHost: addressOf('backend'),
    localPort: '8080',
    protocol: 'HTTP',
    backendType: 'nonSAPsys',
    authenticationMode: 'NONE',
  }
}

const cloudConfiguration = {
  version: 1,
  subaccounts: [{ id: 'demo' }],
  server: { host: '0.0.0.0', publicHost: hostOf('cloud'), tokenService: { url: `https://${hostOf('cloud')}:8445` } },
}

/** What a connector says that it is. */
export async function roleOf({ call }: Connector): Promise<string> {
  return (await must(200, call('GET', `${cfg}/haRole`, undefined, { timeoutMs: 5_000 }))).json()
}

async function stateOf({ call }: Connector, role: 'master' | 'shadow'): Promise<string> {
  return (await must(200, call('GET', `${cfg}/ha/${role}/state`, undefined, { timeoutMs: 5_000 }))).json().state
}

/** The answer, when it has this status. @throws Error with what was answered instead. */
export async function must(status: number, answering: Promise<RestAnswer>): Promise<RestAnswer> {
  const answer = await answering
  if (answer.status !== status) throw new Error(`answered with ${answer.status} instead of ${status}: ${answer.text.slice(0, 500)}`)
  return answer
}

async function startBackend(): Promise<void> {
  const program = join(import.meta.dirname, 'backend.ts')
  const child = spawn('ip', ['netns', 'exec', 'backend', process.execPath, program], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
}

function fromBackend(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: addressOf('backend'), port: 8080, path, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('error', reject)
      response.on('end', () => resolve(text))
    }).on('error', reject)
  })
}
