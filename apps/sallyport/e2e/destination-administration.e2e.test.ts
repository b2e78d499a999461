import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AdministeredInstance, ConnectionVerdict, ImportedEntry } from '@sallyport/admin-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Company, startCompany, writeConfiguration } from './company.ts'
import { createInstallation, type Installation, type Outcome } from './installation.ts'

let stack: Installation
let company: Company
let backend: Server

beforeAll(async () => {
  stack = await createInstallation()
  company = await startCompany(stack.folder)
  // The path is the status.
  backend = createServer((request, response) => void response.writeHead(Number(request.url?.slice(1))).end())
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve))
  const any = 'resources: [{ path: /, subPaths: true }]'
  const mappings = `      - { virtual: "down.demo:80", internal: "http://127.0.0.1:1", ${any} }
      - { virtual: "status.demo:80", internal: "http://127.0.0.1:${(backend.address() as AddressInfo).port}", ${any} }
`
  const parameters = { init_data: { instance: { destinations: [{ Name: 'SHIPPED', Type: 'HTTP', URL: 'https://shipped.example' }] } } }
  writeFileSync(stack.file('parameters.json'), JSON.stringify(parameters))
  writeConfiguration(
    stack.file('sallyport.yaml'),
    `version: 1
subaccounts:
  - id: demo
    users:
      - { name: editor@acme.test, groups: [Editors] }
      - { name: viewer@acme.test, groups: [Subaccount Viewer] }
      - { name: nobody@acme.test }
roleCollections:
  - { name: Editors, roles: [Destination Configuration Administrator, Space Developer] }
instances: { destination: { parameters: { file: parameters.json } } }
${company.connectors({ mappings })}`,
  )
  await stack.dev()
}, 90_000)
afterAll(async () => {
  await stack[Symbol.asyncDispose]()
  await company[Symbol.asyncDispose]()
  backend.close()
})

const set = async (name: string, ...properties: string[]): Promise<void> => {
  await stack.json(['destination', 'set', `Name=${name}`, 'Type=HTTP', 'Authentication=NoAuthentication', ...properties])
}
const check = async (name: string): Promise<{ readonly code: number; readonly verdict: ConnectionVerdict }> => {
  const { code, stdout } = await stack.run(['--json', 'destination', 'check', name])
  return { code, verdict: JSON.parse(stdout) as ConnectionVerdict }
}
const errorOf = ({ stdout }: Outcome): { readonly code: string; readonly message: string; readonly next?: string } =>
  (JSON.parse(stdout) as { readonly error: { readonly code: string; readonly message: string; readonly next?: string } }).error

describe('DS-136 checking the connection to on-premise targets through proxy, tunnel and connector', () => {
  it.each([
    [
      'no connector at the location',
      'http://status.demo:80/200',
      ['CloudConnectorLocationId=nowhere'],
      'Backend status could not be determined.',
      'connector',
    ],
    ['an error of the backend', 'http://status.demo:80/500', [], 'Backend status could not be determined.', 'backend'],
    [
      'a host that is not mapped',
      'http://unmapped.demo:80/',
      [],
      'Backend is not available in the list of defined system mappings in Cloud Connector.',
      'connector',
    ],
    [
      'a path that is not exposed',
      'http://s4.demo:443/payroll',
      [],
      'Resource is not accessible in Cloud Connector or backend is not reachable.',
      'connector',
    ],
    ['a backend that is down', 'http://down.demo:80/', [], 'Backend is not reachable from Cloud Connector.', 'backend'],
  ])('%s', async (_what, url, properties, message, hop) => {
    await set('CHECKED', `URL=${url}`, 'ProxyType=OnPremise', ...properties)
    const { code, verdict } = await check('CHECKED')
    expect(code).toBe(1)
    expect(verdict).toMatchObject({ successful: false, message })
    expect(verdict.hops.map((step) => [step.hop, step.ok])).toEqual([
      ['proxy', true],
      [hop, false],
    ])
  })

  it.each([200, 401, 404])('a backend that answers with %i is there', async (status) => {
    await set('CHECKED', `URL=http://status.demo:80/${status}`, 'ProxyType=OnPremise')
    const { code, verdict } = await check('CHECKED')
    expect(code).toBe(0)
    expect(verdict).toMatchObject({ successful: true, status })
  })

  it('reaches targets on this machine without a connector, because the local stack allows that unless its configuration says otherwise', async () => {
    await set('CHECKED', `URL=http://127.0.0.1:${(backend.address() as AddressInfo).port}/200`, 'ProxyType=Internet')
    expect((await check('CHECKED')).verdict).toMatchObject({ successful: true, status: 200 })
  })

  it('is a list of hops for people', async () => {
    await set('CHECKED', 'URL=http://unmapped.demo:80/', 'ProxyType=OnPremise')
    const { stdout } = await stack.run(['destination', 'check', 'CHECKED'])
    expect(stdout).toMatch(/1 proxy +connected.*\n +2 connector +✖ status 403: Access denied to system unmapped\.demo:80/)
  })
})

describe('people with roles', () => {
  it('DS-137 do what their role collections allow, and are told which role is lacking', async () => {
    expect(
      (await stack.run(['destination', 'set', 'Name=OWN', 'Type=HTTP', 'URL=https://a.example', '--as', 'editor@acme.test'])).code,
    ).toBe(0)
    expect((await stack.run(['destination', 'list', '--as', 'viewer@acme.test'])).stdout).toContain('OWN')
    const refused = await stack.run(['--json', 'destination', 'delete', 'OWN', '--as', 'viewer@acme.test'])
    expect(refused.code).toBe(4)
    expect(errorOf(refused)).toMatchObject({
      code: 'ACCESS_DENIED',
      message: expect.stringContaining('Destination Configuration Administrator') as string,
      next: expect.stringContaining('roleCollections') as string,
    })
    expect((await stack.run(['destination', 'list', '--as', 'nobody@acme.test'])).code).toBe(4)
    expect((await stack.run(['destination', 'delete', 'OWN', '--as', 'editor@acme.test'])).code).toBe(0)
  })

  it('see instances that they may administer', async () => {
    const instances = await stack.json<readonly AdministeredInstance[]>(['instance', 'list', '--as', 'editor@acme.test'])
    expect(instances).toMatchObject([
      { name: 'sallyport-destination', relation: 'own', access: { destinations: 'manage', certificates: 'none' } },
    ])
    expect(await stack.json(['instance', 'list', '--as', 'viewer@acme.test'])).toEqual([])
  })
})

describe('the instance', () => {
  it('comes with what its parameters in the configuration say, and takes others', async () => {
    expect(await stack.json(['destination', 'list', '--level', 'instance'])).toMatchObject([{ Name: 'SHIPPED' }])
    const init_data = {
      instance: {
        existing_destinations_policy: 'ignore',
        destinations: [
          { Name: 'SHIPPED', Type: 'TCP' },
          { Name: 'MORE', Type: 'TCP' },
        ],
      },
    }
    const update = ['instance', 'update', 'sallyport-destination', '-c', '-']
    const applied = await stack.run(['--json', ...update], { input: JSON.stringify({ init_data }) })
    expect(JSON.parse(applied.stdout)).toEqual({ name: 'sallyport-destination', created: 1, replaced: 0, kept: 1 })
    const failed = await stack.run(['--json', ...update], {
      input: JSON.stringify({ init_data: { instance: { destinations: [{ Name: 'MORE', Type: 'TCP' }] } } }),
    })
    expect(failed.code).toBe(1)
    expect(errorOf(failed).message).toContain('Failed to create all provided configurations. Will delete all on instance level, ')
  })
})

describe('destinations that point to service instances', () => {
  const key = { uri: 'https://orders.example', uaa: { url: 'https://acme.example', clientid: 'sb-orders', clientsecret: 'hunter2' } }

  it('are made of their keys', async () => {
    const made = await stack.run(['--json', 'destination', 'from-key', 'ORDERS', '-', 'Description=d'], {
      input: JSON.stringify({ credentials: key }),
    })
    expect(JSON.parse(made.stdout)).toEqual({ name: 'ORDERS', created: 1, replaced: 0, kept: 0 })
    expect(await stack.json(['destination', 'get', 'ORDERS'])).toMatchObject({
      URL: 'https://orders.example',
      Authentication: 'OAuth2ClientCredentials',
      clientId: 'sb-orders',
      clientSecret: '(hidden)',
      tokenServiceURL: 'https://acme.example/oauth/token',
      Description: 'd',
    })
    expect(errorOf(await stack.run(['--json', 'destination', 'from-key', 'EMPTY', '-'], { input: '{"a":1}' })).message).toContain(
      'names no address',
    )
    const fromKey = (...words: readonly string[]) =>
      stack.run(['--json', 'destination', 'from-key', 'ODD', '-', ...words], { input: JSON.stringify(key) })
    expect(errorOf(await fromKey('--authentication', 'OAuth2Client'))).toMatchObject({ code: 'DESTINATION_INVALID' })
    expect(await fromKey('--existing', 'always')).toMatchObject({ code: 2 })
    expect((await fromKey('--authentication', 'OAuth2Client', '--force')).code).toBe(0)
    await stack.json(['destination', 'delete', 'ODD'])
  })

  it('come with a multi-target application', async () => {
    writeFileSync(stack.file('key.json'), JSON.stringify(key))
    const content = {
      instance: {
        existing_destinations_policy: 'update',
        destinations: [
          { Name: 'BY_KEY', ServiceInstanceName: 'orders', ServiceKeyName: 'k' },
          { Name: 'TOKENS_ONLY', URL: 'https://else.example', TokenServiceInstanceName: 'orders', TokenServiceKeyName: 'k' },
        ],
      },
    }
    const deploy = ['--json', 'destination', 'deploy', '-', '--key', `orders/k=${stack.file('key.json')}`]
    const deployed = await stack.run(deploy, { input: JSON.stringify(content) })
    expect(JSON.parse(deployed.stdout)).toMatchObject({ created: 2 })
    expect(await stack.json(['destination', 'get', 'TOKENS_ONLY', '--level', 'instance'])).toMatchObject({
      URL: 'https://else.example',
      clientId: 'sb-orders',
    })
    const missing = await stack.run(['--json', 'destination', 'deploy', '-'], { input: JSON.stringify(content) })
    expect(errorOf(missing).message).toContain('there is no key "k" of the service instance "orders"')
  })
})

describe('a restart', () => {
  it('applies the parameters of the configuration once, whatever has been applied since', async () => {
    expect((await stack.run(['stop'])).code).toBe(0)
    const again = await stack.run(['dev', '--detach', '--wait', '40s', '--port-offset', String(stack.portOffset)])
    expect(again).toMatchObject({ code: 0 })
    expect(await stack.json(['destination', 'get', 'SHIPPED', '--level', 'instance'])).toMatchObject({ URL: 'https://shipped.example' })
  })

  it('says what is wrong with parameters that cannot be applied', async () => {
    expect((await stack.run(['stop'])).code).toBe(0)
    const changed = { init_data: { instance: { destinations: [{ Name: 'SHIPPED', Type: 'HTTP', URL: 'https://other.example' }] } } }
    const before = readFileSync(stack.file('parameters.json'), 'utf8')
    writeFileSync(stack.file('parameters.json'), JSON.stringify(changed))
    const refused = await stack.run(['dev', '--detach', '--wait', '40s', '--port-offset', String(stack.portOffset)])
    expect(refused.code).not.toBe(0)
    expect(refused.stdout + refused.stderr).toContain("the destination 'SHIPPED' exists already in the instance")
    writeFileSync(stack.file('parameters.json'), before)
    expect((await stack.run(['dev', '--detach', '--wait', '40s', '--port-offset', String(stack.portOffset)])).code).toBe(0)
  })
})

describe('destinations from the command line', () => {
  it('keep their secrets out of arguments, screens and exports', async () => {
    const words = ['destination', 'set', 'Name=ERP', 'Type=HTTP', 'URL=https://erp.example', 'User=u', '--secret', 'Password=-']
    const stored = await stack.run(words, { input: 'hunter2\n' })
    expect(stored).toMatchObject({ code: 0, stderr: '' })
    expect((await stack.run(['destination', 'get', 'ERP'])).stdout).not.toContain('hunter2')
    expect((await stack.run(['destination', 'get', 'ERP', '--reveal'])).stdout).toContain('hunter2')
    const shown = await stack.run(['destination', 'set', 'Name=ERP', 'Type=HTTP', 'URL=https://new.example', 'User=u', '--keep-secrets'])
    expect(shown.code).toBe(0)
    expect(await stack.json(['destination', 'get', 'ERP', '--reveal'])).toMatchObject({ URL: 'https://new.example', Password: 'hunter2' })
    await stack.json(['destination', 'duplicate', 'ERP', 'COPY', 'User=v'])
    expect(await stack.json(['destination', 'get', 'COPY', '--reveal'])).toMatchObject({ Name: 'COPY', User: 'v', Password: 'hunter2' })
    const warned = await stack.run(['destination', 'set', 'Name=COPY', 'Type=HTTP', 'URL=https://a.example', 'Password=hunter3'])
    expect(warned.stderr).toContain('--secret Password=<file>')
    expect(warned.stderr).not.toContain('hunter3')
    const dropped = await stack.run(['destination', 'set', 'Name=COPY', 'Type=HTTP', 'URL=https://a.example'])
    expect(dropped).toMatchObject({ code: 0, stderr: 'warning: no longer stored: Password; --keep-secrets keeps what is not given\n' })
    expect(Object.keys(await stack.json<object>(['destination', 'get', 'COPY']))).not.toContain('Password')
  })

  it('DS-135 go into files and come back', async () => {
    await stack.run(['destination', 'set', 'Name=FILED', 'Type=HTTP', 'URL=https://a.example:1/?b=c', 'User=u', '--secret', 'Password=-'], {
      input: 'hunter2',
    })
    const properties = stack.file('filed.properties')
    expect((await stack.run(['destination', 'export', 'FILED', '--format', 'properties', '--out', properties])).code).toBe(0)
    const text = readFileSync(properties, 'latin1')
    expect(text).toContain('#Password=<< Existing password/certificate removed on export >>\n')
    expect(text).toContain('URL=https\\://a.example\\:1/?b\\=c\n')
    await stack.json(['destination', 'delete', 'FILED'])
    const { entries } = await stack.json<{ readonly entries: readonly ImportedEntry[] }>(['destination', 'import', properties])
    expect(entries).toMatchObject([{ name: 'FILED', outcome: 'created', missingSecrets: ['Password'] }])
    expect(await stack.json(['destination', 'get', 'FILED'])).toEqual({
      Name: 'FILED',
      Type: 'HTTP',
      URL: 'https://a.example:1/?b=c',
      User: 'u',
    })
    expect((await stack.run(['destination', 'import', properties])).code).toBe(1)
    const again = await stack.run(['destination', 'export', 'FILED', '--out', properties])
    expect(again.code).toBe(1)
    expect((await stack.run(['destination', 'export', '--out', stack.file('all.zip')])).code).toBe(0)
    expect(readFileSync(stack.file('all.zip')).subarray(0, 2).toString()).toBe('PK')
    expect(errorOf(await stack.run(['--json', 'destination', 'import', stack.file('all.zip')])).message).toContain('unpack it')
  })

  it('are found with what the service says of their tokens, and tried without the certificates of applications', async () => {
    const properties = ['Type=HTTP', 'URL=https://127.0.0.1:1', 'ProxyType=Internet']
    const token = ['Authentication=OAuth2ClientCredentials', 'clientId=c', 'tokenServiceURL=https://127.0.0.1:1']
    await stack.json(['destination', 'set', 'Name=NO_TOKEN', ...properties, ...token])
    const found = await stack.run(['destination', 'find', 'NO_TOKEN'])
    expect(found.stderr).toMatch(/^warning: the service found the destination and got no token: ./)
    expect(JSON.parse(found.stdout)).toMatchObject({ authTokens: [{ value: '' }] })
    await stack.json(['destination', 'set', 'Name=BY_CERTIFICATE', ...properties, 'KeyStoreLocation=a.p12'])
    const tried = await stack.run(['curl', 'BY_CERTIFICATE', '/'])
    expect(tried.code).toBe(1)
    expect(tried.stdout).toMatch(/curl leaves KeyStoreLocation out of account[\s\S]* backend +✖ 127\.0\.0\.1:1 cannot be reached/)
  })

  it('can be labelled, and so can fragments', async () => {
    await stack.json(['fragment', 'set', 'FragmentName=F', 'URL=https://f.example'])
    expect(await stack.json(['fragment', 'labels', 'F', 'team=a,b', 'env'])).toEqual([
      { key: 'team', values: ['a', 'b'] },
      { key: 'env', values: [] },
    ])
    expect(await stack.json(['fragment', 'labels', 'F', '--remove', 'team'])).toEqual([{ key: 'env', values: [] }])
    expect((await stack.run(['fragment', 'list'])).stdout).toMatch(/F +https:\/\/f\.example.*env/)
    expect((await stack.run(['fragment', 'delete', 'F'])).code).toBe(0)
    const gone = await stack.run(['--json', 'fragment', 'get', 'F'])
    expect(gone.code).toBe(1)
    expect(errorOf(gone)).toMatchObject({ code: 'NOT_FOUND', next: expect.stringContaining('fragment list') as string })
  })

  it('are not stored when they cannot work, unless one insists', async () => {
    const words = ['destination', 'set', 'Name=BAD', 'Type=HTTP', 'URL=notaurl']
    const refused = await stack.run(['--json', ...words])
    expect(refused.code).toBe(1)
    expect(errorOf(refused)).toMatchObject({ code: 'DESTINATION_INVALID', message: 'URL: "notaurl" is not an absolute http or https URL' })
    expect((await stack.run([...words, '--force'])).code).toBe(0)
  })
})

describe('every error', () => {
  it.each([
    [['curl', 'NOPE', '/'], 1, 'DESTINATION_NOT_FOUND'],
    [['destination', 'get', 'NOPE'], 1, 'DESTINATION_NOT_FOUND'],
    [['destination', 'list', '--level', 'space'], 2, 'USAGE'],
    [['destination', 'list', '--instance', 'nope'], 1, 'NOT_FOUND'],
    [['destination', 'import', 'nope.json'], 1, 'CONFIGURATION_INVALID'],
    [['destination', 'export', 'NOPE'], 1, 'DESTINATION_NOT_FOUND'],
    [['destination', 'export', 'NOPE', 'NEITHER'], 1, 'NOT_FOUND'],
    [['fragment', 'export', 'NOPE'], 1, 'NOT_FOUND'],
    [['destination', 'set', 'Name=TWICE', 'Type=HTTP', 'URL=https://a.example', 'URL=https://b.example'], 2, 'USAGE'],
    [
      ['destination', 'set', 'Name=TYPO', 'Type=HTTP', 'URL=https://a.example', 'Authentication=BasicAuthentification'],
      1,
      'DESTINATION_INVALID',
    ],
    [['token', 'issue', '--grant', 'nope'], 2, 'USAGE'],
    [['serve', 'token-service', '--database-password-file', 'nope'], 1, 'CONFIGURATION_INVALID'],
    [['destination', 'set', 'nope'], 2, 'USAGE'],
    [['nope'], 2, 'USAGE'],
  ])('has a code with --json: %j', async (words, exit, code) => {
    const outcome = await stack.run(['--json', ...words])
    expect(outcome.code).toBe(exit)
    expect(errorOf(outcome).code).toBe(code)
  })

  it('comes from a data folder that cannot be read too', async () => {
    writeFileSync(stack.file('no-folder'), 'x')
    for (const command of ['status', 'stop']) {
      const outcome = await stack.run(['--json', command], { data: stack.file('no-folder') })
      expect(outcome.code).toBe(1)
      expect(errorOf(outcome)).toMatchObject({
        code: 'CONFIGURATION_INVALID',
        message: expect.stringContaining('is not a folder') as string,
      })
    }
  })

  it('the version is JSON with --json', async () => {
    expect(await stack.json(['--version'])).toEqual({ version: expect.stringMatching(/^\d/) as string })
    expect((await stack.run(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  it('a wrong authority leaves nothing of a connector behind', async () => {
    writeFileSync(stack.file('ca.txt'), 'no certificate')
    const data = stack.file('connector')
    const words = ['connector', 'init', '--server', 'https://localhost:1', '--code-file', '-', '--authority', stack.file('ca.txt')]
    const outcome = await stack.run(['--json', ...words], { data, input: 'code' })
    expect(outcome.code).toBe(1)
    expect(errorOf(outcome).message).toContain('is not a certificate in PEM')
    expect(existsSync(data) ? readdirSync(data) : []).toEqual([])
  })
})
