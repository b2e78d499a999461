import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { parseConnectivityBinding, parseDestinationBinding, readBindings, selectBinding, systemBindingFiles } from './index.ts'

const services = {
  destination: [
    {
      name: 'app-dest',
      label: 'destination',
      plan: 'lite',
      tags: ['destination', 'conn', 'connsvc'],
      instance_guid: 'guid-1',
      credentials: {
        clientid: 'sb-client!b1|destination!b9',
        clientsecret: 's3cr3t-value',
        uri: 'https://dest.example.test/',
        url: 'https://acme.auth.example.test/some/path',
        uaadomain: 'auth.example.test:8443',
      },
    },
  ],
  connectivity: [
    {
      name: 'app-conn',
      label: 'connectivity',
      tags: ['connectivity'],
      credentials: {
        clientid: 'sb-conn',
        certificate: '-----BEGIN CERTIFICATE-----',
        key: '-----BEGIN PRIVATE KEY-----',
        certurl: 'https://acme.authentication.cert.example.test',
        url: 'https://acme.authentication.example.test',
        onpremise_proxy_host: 'proxy.example.test',
        onpremise_proxy_port: '20003',
        onpremise_proxy_http_port: '21003',
        onpremise_socks5_proxy_port: '20004',
      },
    },
  ],
}
const text = JSON.stringify(services)
const noFiles = { readFile: () => Promise.reject(new Error('ENOENT')), list: () => Promise.reject(new Error('ENOENT')) }

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-bindings-'))
  try {
    await work(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

describe('bindings from the environment', () => {
  it('come from VCAP_SERVICES', async () => {
    const bindings = await readBindings({ environment: { VCAP_SERVICES: text }, files: noFiles })
    expect(bindings.map(({ name, label, plan, instanceGuid }) => ({ name, label, plan, instanceGuid }))).toEqual([
      { name: 'app-dest', label: 'destination', plan: 'lite', instanceGuid: 'guid-1' },
      { name: 'app-conn', label: 'connectivity', plan: '', instanceGuid: undefined },
    ])
    expect(inspect(bindings, { depth: 9 })).not.toContain('s3cr3t-value')
  })
  it('come from the file in VCAP_SERVICES_FILE_PATH first, bare or as default-env.json has it', () =>
    inFolder(async (folder) => {
      const file = join(folder, 'services.json')
      for (const content of [text, JSON.stringify({ VCAP_SERVICES: services })]) {
        await writeFile(file, content)
        const environment = { VCAP_SERVICES: '{"ignored":[]}', VCAP_SERVICES_FILE_PATH: file }
        expect(await readBindings({ environment, files: systemBindingFiles })).toHaveLength(2)
      }
    }))
  it('are none when nothing is set', async () => {
    expect(await readBindings({ environment: { VCAP_SERVICES: '' }, files: noFiles })).toEqual([])
  })
  it.each([
    ['{"s3cr3t-value', /VCAP_SERVICES: not JSON/],
    ['[]', /not an object/],
    ['{"destination":{}}', /"destination" is not a list/],
    ['{"destination":[{"name":"x"}]}', /destination\[0\] has no credentials/],
    [`{"x":"${'x'.repeat(1024 * 1024)}"}`, /too large/],
  ])('that cannot be read are refused without quoting them (%#)', async (content, message) => {
    const error: unknown = await readBindings({ environment: { VCAP_SERVICES: content }, files: noFiles }).catch(
      (reason: unknown) => reason,
    )
    expect(error).toMatchObject({ code: 'BINDING_INVALID', message: expect.stringMatching(message) })
    expect(inspect(error, { depth: 9 })).not.toContain('s3cr3t-value')
  })
  it.each([{ VCAP_SERVICES_FILE_PATH: '/no/such/file' }, { SERVICE_BINDING_ROOT: '/no/such/folder' }])(
    'name the file that is missing',
    async (environment) => {
      const [path] = Object.values(environment)
      await expect(readBindings({ environment, files: noFiles })).rejects.toMatchObject({
        code: 'BINDING_INVALID',
        message: expect.stringContaining(String(path)),
      })
    },
  )
})

describe('bindings from directories', () => {
  const write = async (folder: string, files: Readonly<Record<string, string>>): Promise<void> => {
    await mkdir(folder, { recursive: true })
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
  }
  const metadata = {
    metaDataProperties: [
      { name: 'type', format: 'text' },
      { name: 'label', format: 'text' },
      { name: 'tags', format: 'json' },
      { name: 'instance_name', format: 'text' },
    ],
    credentialProperties: [
      { name: 'clientid', format: 'text' },
      { name: 'token-type', format: 'json' },
    ],
  }
  it('follow .metadata, ignore what has no type, follow links and cut the last line break', () =>
    inFolder(async (root) => {
      await write(join(root, 'dest'), {
        '.metadata': JSON.stringify(metadata),
        type: 'destination',
        label: 'destination\n',
        tags: '["destination"]',
        instance_name: 'my-dest',
        'token-type': '["xsuaa"]',
        '..data': 'not a property',
      })
      await write(join(root, '..real'), { clientid: 'the-client\n' })
      await symlink(join(root, '..real', 'clientid'), join(root, 'dest', 'clientid'))
      await write(join(root, 'no-type'), { clientid: 'x' })
      await writeFile(join(root, 'plain-file'), 'x')
      const [binding, ...others] = await readBindings({ environment: { SERVICE_BINDING_ROOT: root }, files: systemBindingFiles })
      expect(others).toEqual([])
      expect(binding).toMatchObject({ name: 'my-dest', label: 'destination', tags: ['destination'] })
      expect(binding?.credentials.reveal()).toEqual({ clientid: 'the-client', 'token-type': ['xsuaa'] })
    }))
  it('work without .metadata, with the type as label', () =>
    inFolder(async (root) => {
      await write(join(root, 'conn'), { type: 'connectivity', provider: 'x', clientid: 'c' })
      const [binding] = await readBindings({ environment: { SERVICE_BINDING_ROOT: root }, files: systemBindingFiles })
      expect(binding).toMatchObject({ name: 'conn', label: 'connectivity' })
      expect(binding?.credentials.reveal()).toEqual({ clientid: 'c' })
    }))
  it('spread a container over the credentials', () =>
    inFolder(async (root) => {
      const described = {
        metaDataProperties: [{ name: 'type', format: 'text' }],
        credentialProperties: [{ name: 'all', format: 'json', container: true }],
      }
      await write(join(root, 'dest'), { '.metadata': JSON.stringify(described), type: 'destination', all: '{"clientid":"c","uri":"u"}' })
      const [binding] = await readBindings({ environment: { SERVICE_BINDING_ROOT: root }, files: systemBindingFiles })
      expect(binding?.credentials.reveal()).toEqual({ clientid: 'c', uri: 'u' })
    }))
  it.each(['../../etc/passwd', 'a/b', '..', 'a\\b'])('do not read outside of their directory (%s)', (name) =>
    inFolder(async (root) => {
      const described = { metaDataProperties: [{ name: 'type', format: 'text' }], credentialProperties: [{ name, format: 'text' }] }
      await write(join(root, 'dest'), { '.metadata': JSON.stringify(described), type: 'destination' })
      await expect(readBindings({ environment: { SERVICE_BINDING_ROOT: root }, files: systemBindingFiles })).rejects.toMatchObject({
        code: 'BINDING_INVALID',
      })
    }),
  )
  it('come after those of the variable', () =>
    inFolder(async (root) => {
      await write(join(root, 'other-dest'), { type: 'destination' })
      const bindings = await readBindings({ environment: { VCAP_SERVICES: text, SERVICE_BINDING_ROOT: root }, files: systemBindingFiles })
      expect(bindings.map((binding) => binding.name)).toEqual(['app-dest', 'app-conn', 'other-dest'])
      expect(selectBinding(bindings, { service: 'destination' }).name).toBe('app-dest')
    }))
})

describe('choosing a binding', () => {
  const bindings = (list: object[]): Promise<Awaited<ReturnType<typeof readBindings>>> =>
    readBindings({ environment: { VCAP_SERVICES: JSON.stringify({ 'user-provided': list }) }, files: noFiles })
  it('goes by label, else by tag', async () => {
    const found = await bindings([
      { name: 'tagged', label: 'user-provided', tags: ['destination'], credentials: {} },
      { name: 'other', label: 'user-provided', credentials: {} },
    ])
    expect(selectBinding(found, { service: 'destination' }).name).toBe('tagged')
  })
  it('refuses to guess between several and takes the one that is named', async () => {
    const found = await bindings(['one', 'two'].map((name) => ({ name, label: 'destination', credentials: {} })))
    expect(() => selectBinding(found, { service: 'destination' })).toThrow(/several bindings.*"one".*"two"/)
    expect(selectBinding(found, { service: 'destination', name: 'two' }).name).toBe('two')
    expect(() => selectBinding(found, { service: 'destination', name: 'three' })).toThrow(/named "three"/)
    expect(() => selectBinding([], { service: 'destination' })).toThrow(/no bindings at all/)
  })
})

describe('what a binding says', () => {
  const find = async (service: string, change: object = {}): ReturnType<typeof findAsync> => findAsync(service, change)
  async function findAsync(service: string, change: object) {
    const changed = JSON.parse(text) as Record<string, { credentials: object }[]>
    for (const [label, [instance]] of Object.entries(changed))
      if (label === service && instance) Object.assign(instance.credentials, change)
    const all = await readBindings({ environment: { VCAP_SERVICES: JSON.stringify(changed) }, files: noFiles })
    return selectBinding(all, { service })
  }
  it('is read for the destination service: the token path is ours', async () => {
    const { uri, client } = parseDestinationBinding(await find('destination'))
    expect(uri.href).toBe('https://dest.example.test/')
    expect(client).toMatchObject({ clientId: 'sb-client!b1|destination!b9', domain: 'auth.example.test:8443', proof: { kind: 'secret' } })
    expect(client.tokenUrl.href).toBe('https://acme.auth.example.test/oauth/token')
  })
  it('is read for the connectivity service, with certificate, certurl and the newer name of the port', async () => {
    const { httpProxy, socks5Proxy, client } = parseConnectivityBinding(await find('connectivity'))
    expect([httpProxy, socks5Proxy]).toEqual([
      { host: 'proxy.example.test', port: 21_003 },
      { host: 'proxy.example.test', port: 20_004 },
    ])
    expect(client.proof.kind).toBe('certificate')
    expect(client.tokenUrl.href).toBe('https://acme.authentication.cert.example.test/oauth/token')
  })
  it.each([
    ['destination', { uri: undefined }, /"uri".*is missing/],
    ['destination', { uri: 'ftp://x' }, /"uri".*not an http/],
    ['destination', { uri: 'https://user:s3cr3t-value@x' }, /"uri".*not an http/],
    ['destination', { clientsecret: undefined }, /"clientsecret".*is missing/],
    ['destination', { clientid: 7 }, /"clientid".*is not text/],
    ['destination', { uaadomain: 'https://auth' }, /"uaadomain".*not a host/],
    ['connectivity', { onpremise_proxy_http_port: '0' }, /not a port/],
    ['connectivity', { onpremise_proxy_http_port: '65536' }, /not a port/],
    ['connectivity', { onpremise_socks5_proxy_port: 'x' }, /not a port/],
    ['connectivity', { onpremise_proxy_host: null }, /"onpremise_proxy_host".*is missing/],
    ['connectivity', { key: '' }, /"key".*is missing/],
  ])('is refused for %s with %j', async (service, change, message) => {
    const binding = await find(service, change)
    expect(() => (service === 'destination' ? parseDestinationBinding(binding) : parseConnectivityBinding(binding))).toThrow(message)
  })
})
