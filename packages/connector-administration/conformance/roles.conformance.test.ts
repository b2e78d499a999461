import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type AdministrationBench, startAdministrationBench } from './administration-bench.ts'

let bench: AdministrationBench
beforeEach(async () => {
  bench = await startAdministrationBench({ haRole: 'master' })
  await bench.expose({ regionHost: 'cloud', subaccount: 'own' })
  await bench.expose({ regionHost: 'cloud', subaccount: 'managed', isManaged: true })
})
afterEach(() => bench[Symbol.asyncDispose]())

const base = '/api/v1/configuration/connector'
const mappings = (subaccount: string): string => `/api/v1/configuration/subaccounts/cloud/${subaccount}/systemMappings`
const mapping = {
  virtualHost: 'v',
  virtualPort: '1',
  localHost: 'l',
  localPort: '1',
  protocol: 'HTTP',
  backendType: 'nonSAPsys',
  authenticationMode: 'NONE',
}
const columns = ['sccadmin', 'sccassocadmin', 'sccsubadmin', 'sccsupport', 'sccdisplay', 'sccmonitoring', 'stranger']

/** One row of the matrix: which columns are admitted. */
const matrix: readonly [string, string, string, unknown, string][] = [
  ['reading the configuration', 'GET', base, undefined, 'xxxxxx-'],
  ['the monitoring interfaces', 'GET', '/api/monitoring/subaccounts', undefined, 'x----x-'],
  ['the settings of a subaccount', 'POST', mappings('own'), mapping, 'xxx----'],
  ['reading a managed subaccount', 'GET', mappings('managed'), undefined, 'xxxxxx-'],
  ['changing a managed subaccount', 'POST', mappings('managed'), mapping, 'x------'],
  ['the description', 'PUT', base, { description: 'd' }, 'xx-----'],
  ['the proxy', 'PUT', `${base}/proxy`, { host: 'h', port: 1 }, 'x------'],
  ['users', 'PUT', `${base}/authentication/basic`, { user: 'jane', password: 'manage' }, 'x------'],
  ['certificates', 'POST', `${base}/onPremises/systemCertificate`, {}, 'xx-----'],
  ['trust in backends', 'PATCH', `${base}/onPremises/truststore`, {}, 'xx-----'],
  ['subject pattern rules', 'POST', `${base}/onPremises/subjectPatternRules`, {}, 'xx-----'],
  ['validity of user certificates', 'PUT', `${base}/onPremises/ppSettings`, {}, 'xxx----'],
  ['e-mail', 'PATCH', `${base}/email`, { smtpPort: 'x' }, 'xx-----'],
  ['alerting', 'PATCH', `${base}/alerting`, { thresholds: 'x' }, 'x------'],
  ['the audit log', 'PATCH', `${base}/auditLog`, {}, 'x------'],
  ['backup', 'POST', '/api/v1/configuration/backup', {}, 'x------'],
  ['high availability', 'PUT', `${base}/ha/master/config`, {}, 'x------'],
  ['the role of the instance', 'POST', `${base}/haRole`, 'foo', 'x------'],
]

describe('roles', () => {
  it.each(matrix)('CC-122 %s: %s %s', async (_what, method, path, body, expected) => {
    const admitted = []
    // Those who are refused come first, so that nothing has changed for them.
    for (const as of columns.toReversed()) admitted.unshift((await bench.call(method, path, body, { as })).status === 403 ? '-' : 'x')
    expect(admitted.join('')).toBe(expected)
  })

  it('CC-162 says whether this instance is the master, without credentials', async () => {
    expect((await bench.send('GET', '/exposed?action=hasMasterRole')).body).toBe('true')
    expect((await bench.send('GET', '/exposed?action=ensureMasterRole')).status).toBe(200)
    await bench[Symbol.asyncDispose]()
    bench = await startAdministrationBench({ haRole: 'shadow' })
    expect((await bench.send('GET', '/exposed?action=hasMasterRole')).body).toBe('false')
    expect((await bench.send('GET', '/exposed?action=ensureMasterRole')).status).toBe(409)
  })

  it.each([
    ['sccadmin', 200],
    ['sccassocadmin', 403],
    ['sccsubadmin', 403],
    ['sccsupport', 403],
    ['sccdisplay', 403],
    ['sccmonitoring', 200],
  ])('CC-163 %s gets %i from the monitoring interfaces', async (as, status) => {
    const monitoring = [
      'subaccounts',
      'connections/backends',
      'connections/serviceChannels',
      'performance/backends',
      'performance/topTimeConsumers',
      'usage',
      'memory',
      'disk',
      'cpu',
      'certificates',
      'certificates/expired',
      'certificates/expiring',
      'certificates/ok',
      'hardware',
      'alerts',
    ]
    const paths = [...monitoring.map((path) => `/api/monitoring/${path}`), '/metrics']
    const answers = await Promise.all(paths.map((path) => bench.call('GET', path, undefined, { as })))
    expect(answers.map((answer) => answer.status)).toEqual(paths.map(() => status))
    expect((await bench.send('GET', '/api/monitoring/subaccounts')).status).toBe(401)
  })
})
