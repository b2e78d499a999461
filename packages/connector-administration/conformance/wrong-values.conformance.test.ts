import { afterAll, beforeAll, expect, it } from 'vitest'
import { type AdministrationBench, startAdministrationBench } from './administration-bench.ts'

const cfg = '/api/v1/configuration/connector'
const sub = '/api/v1/configuration/subaccounts/cf.demo.example/demo'
const mapping = {
  virtualHost: 'v',
  virtualPort: '443',
  localHost: 'l',
  localPort: '443',
  protocol: 'HTTPS',
  backendType: 'abapSys',
  authenticationMode: 'NONE',
}

let bench: AdministrationBench
beforeAll(async () => {
  bench = await startAdministrationBench({ haRole: 'master' })
  await bench.expose({ regionHost: 'cf.demo.example', subaccount: 'demo' })
})
afterAll(() => bench[Symbol.asyncDispose]())

it.each([
  ['PUT', cfg, {}, 'description: is missing'],
  ['PUT', cfg, { description: null }, 'description: has to be a text; it was null'],
  ['PUT', cfg, { description: 'x'.repeat(1025) }, `description: has to have at most 1024 characters; it was "${'x'.repeat(59)}…`],
  ['PUT', cfg, [], 'the body: has to be an object; it was a list of 0'],
  ['PUT', `${cfg}/proxy`, { host: 'h', port: '70000' }, 'port: has to be a whole number from 1 to 65535; it was 70000'],
  ['PUT', `${cfg}/proxy`, { host: 'h', port: 'x' }, 'port: has to be a whole number from 1 to 65535; it was "x"'],
  ['PUT', `${cfg}/proxy`, { host: '', port: 1 }, 'host: must not be empty; it was ""'],
  ['PUT', `${cfg}/proxy`, { host: 'h', port: 1, password: 12_345 }, 'password: has to be a text'],
  ['PATCH', `${cfg}/onPremises/truststore`, { trustAllBackends: 'maybe' }, 'trustAllBackends: has to be true or false; it was "maybe"'],
  ['PATCH', `${cfg}/auditLog`, { level: 'LOUD' }, 'level: has to be one of "OFF", "SECURITY", "ALL"; it was "LOUD"'],
  ['PATCH', `${cfg}/auditLog`, { cleanup: 15 }, 'cleanup: has to be one of 0, 14, 30, 90, 180, 365; it was 15'],
  ['PATCH', `${cfg}/alerting`, { thresholds: { cpuLoad: 200 } }, 'thresholds.cpuLoad: has to be at most 100; it was 200'],
  [
    'PATCH',
    `${cfg}/logAndTrace`,
    { sccLogLevel: 'LOUD' },
    'sccLogLevel: has to be one of "OFF", "ERROR", "WARN", "INFO", "DEBUG", "TRACE", "ALL"; it was "LOUD"',
  ],
  ['POST', `${cfg}/ui/cipherSuites`, [], 'the body: has to have at least 1 entry; it was a list of 0'],
  ['POST', `${sub}/systemMappings/v:443/allowedClients`, ['10-'], '0: is not a client: three characters such as 100; it was "10-"'],
])('%s %s with %j is refused with what is wrong', async (method, path, body, message) => {
  await bench.call('POST', `${sub}/systemMappings`, mapping)
  const answer = await bench.call(method, path, body)
  expect(answer.status).toBe(400)
  expect(answer.json()).toEqual({ type: 'INVALID_REQUEST', message })
})

it.each([
  [
    'POST',
    `${sub}/systemMappings`,
    { ...mapping, protocol: 'LDAP', authenticationMode: 'NONE', backendType: 'abapSys' },
    'mapping v:443: ',
  ],
  [
    'POST',
    `${sub}/systemMappings`,
    { ...mapping, virtualPort: '440-450', localPort: '440-450', protocol: 'TCP', backendType: 'nonSAPsys' },
    'mapping v:440-450: "v:440-450" is already mapped by mapping 0, v:443',
  ],
  ['POST', `${sub}/systemMappings/v:443/resources`, { id: 'no-path', enabled: true }, 'mapping v:443: "no-path" '],
])('%s %s with %j is refused with the name of what is wrong, and no place in a file', async (method, path, body, message) => {
  if (path.endsWith('systemMappings')) await bench.call('DELETE', `${sub}/systemMappings`)
  if (message.includes('already') || path.endsWith('resources')) await bench.call('POST', `${sub}/systemMappings`, mapping)
  const answer = await bench.call(method, path, body)
  expect(answer.status).toBe(400)
  expect(answer.json().message).toMatch(message.endsWith(' ') ? new RegExp(`^${message}[^\\n]+$`) : message)
  expect(answer.json().message).not.toMatch(/administration|connectors\[|:\d+:\d+ /)
})
