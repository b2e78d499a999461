import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { ConnectivityError } from '@sallyport/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { formatBindings, formatShell, readAuthority, readBindings, redactBindings, writeBindings } from './binding-files.ts'
import { createBindings, type VcapServices } from './bindings.ts'
import { type DataFolder, openDataFolder } from './data-folder.ts'
import { openInstances } from './instances.ts'

let path: string
let folder: DataFolder
let bindings: VcapServices
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'sallyport-'))
  folder = openDataFolder(path)
  bindings = createBindings(
    openInstances(folder),
    {
      tokenServiceUrl: 'https://localhost:8445',
      uaadomain: 'localhost:8445',
      destinationServiceUrl: 'https://localhost:8444',
      proxyHost: 'localhost',
      proxyHttpPort: 20003,
      proxySocks5Port: 20004,
    },
    { id: 'demo', verificationKey: '-----BEGIN PUBLIC KEY-----' },
  )
})
afterEach(() => rmSync(path, { recursive: true }))

function errorOf(read: () => unknown): ConnectivityError {
  try {
    read()
  } catch (error) {
    if (ConnectivityError.is(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('bindings', () => {
  it('CL-001 carry a unique name, label, plan, tags, instance_guid and credentials', () => {
    const all = Object.values(bindings).flat()
    expect(new Set(all.map((binding) => binding.name)).size).toBe(all.length)
    for (const binding of all) {
      for (const key of ['name', 'label', 'plan', 'instance_guid'] as const) expect(binding[key]).toMatch(/./)
      expect(binding.tags.length).toBeGreaterThan(0)
      expect(binding.credentials).toMatchObject({ clientid: expect.any(String), clientsecret: expect.any(String) })
    }
  })
  it('CL-002 hold exactly one of the tags that clients select by', () => {
    for (const [label, [binding]] of Object.entries(bindings)) {
      expect(binding.tags.filter((tag) => ['xsuaa', 'destination', 'connectivity'].includes(tag))).toEqual([label])
    }
  })
  it('CP-001 CP-002 CL-003 name the HTTP port twice, every port as a text', () => {
    const { credentials } = bindings.connectivity[0]
    expect(credentials).toMatchObject({
      onpremise_proxy_port: '20003',
      onpremise_proxy_http_port: '20003',
      onpremise_socks5_proxy_port: '20004',
    })
    expect(Object.entries(credentials).filter(([name, value]) => name.endsWith('_port') && typeof value !== 'string')).toEqual([])
  })
  it('CP-003 CL-004 name the token service twice, without a path', () => {
    const { credentials } = bindings.connectivity[0]
    expect(credentials['url']).toBe(credentials['token_service_url'])
    expect(new URL(String(credentials['url'])).pathname).toBe('/')
  })
  it('CL-007 name no certurl beside a secret', () => {
    for (const [binding] of Object.values(bindings)) expect(binding.credentials).not.toHaveProperty('certurl')
  })
  it('CL-011 name the destination service without a trailing slash', () => {
    expect(bindings.destination[0].credentials['uri']).toBe('https://localhost:8444')
  })
  it('stay the same after a restart, secrets included', () => {
    expect(openInstances(openDataFolder(path))).toEqual(openInstances(folder))
  })
})

describe('bindings of another kind', () => {
  const addresses = {
    tokenServiceUrl: 'https://acme.authentication.example.test',
    uaadomain: 'authentication.example.test',
    destinationServiceUrl: 'https://localhost:8444',
    proxyHost: 'localhost',
    proxyHttpPort: 20003,
    proxySocks5Port: 20004,
  }
  it('name the subdomain of the tenant where it has a host', () => {
    const made = createBindings(openInstances(folder), addresses, { id: 'demo', subdomain: 'acme', verificationKey: '-' })
    for (const [binding] of Object.values(made)) expect(binding.credentials['identityzone']).toBe('acme')
    for (const [binding] of Object.values(bindings)) expect(binding.credentials).not.toHaveProperty('identityzone')
  })
  it('CL-008 hold a certificate, its key and the host for it, and no secret', () => {
    const tenant = { id: 'demo', subdomain: 'acme', verificationKey: '-' }
    const made = createBindings(openInstances(folder), addresses, tenant, () => ({ certificate: 'C', key: 'K' }))
    for (const [binding] of Object.values(made)) {
      expect(binding.credentials).toMatchObject({
        certificate: 'C',
        key: 'K',
        certurl: 'https://acme.authentication.cert.example.test',
        'credential-type': 'x509',
      })
      expect(binding.credentials).not.toHaveProperty('clientsecret')
    }
    expect(JSON.stringify(redactBindings(made))).not.toContain('"K"')
  })
})

describe('written forms', () => {
  it('CL-010 a default-env.json with VCAP_SERVICES inside, readable by its owner only', () => {
    const file = writeBindings(folder, bindings)
    expect(statSync(file).mode & 0o077).toBe(0)
    expect(readBindings(folder)).toEqual(bindings)
  })
  it('are looked for by developers and by operators: each is told what he can do', () => {
    expect(errorOf(() => readBindings(openDataFolder(join(folder.path, 'never', 'used'))))).toMatchObject({
      code: 'BINDING_INVALID',
      message: expect.stringContaining('no installation has used this folder') as string,
      details: { next: expect.stringMatching(/--data; or start .* sallyport dev$/) as string },
    })
    const connector = openDataFolder(join(folder.path, 'of-a-connector'))
    connector.write(['connector', 'state.json'], '{}')
    for (const read of [readBindings, readAuthority]) {
      const error = errorOf(() => read(connector))
      expect(error).toMatchObject({ code: 'BINDING_INVALID', message: expect.stringContaining('but no token service') as string })
      expect(error.details['next']).toMatch(/^call this where the token service runs/)
    }
  })
  it('that are damaged are named without what they hold', () => {
    const damaged = openDataFolder(join(folder.path, 'damaged'))
    damaged.write(['default-env.json'], 's3cret')
    const error = errorOf(() => readBindings(damaged))
    expect(error).toMatchObject({ code: 'BINDING_INVALID', message: expect.stringContaining('default-env.json is not JSON') as string })
    expect(inspect(error, { depth: 5 })).not.toContain('s3cret')
  })
  it('keeps what else stands in the file', () => {
    expect(JSON.parse(formatBindings('default-env.json', bindings, '{"PORT":"4004"}'))).toEqual({ PORT: '4004', VCAP_SERVICES: bindings })
    expect(formatBindings('.env', bindings, 'A=1\nVCAP_SERVICES=old\n').split('\n').slice(0, 2)).toEqual([
      'A=1',
      `VCAP_SERVICES=${JSON.stringify(bindings)}`,
    ])
    expect(() => formatBindings('default-env.json', bindings, 'no json')).toThrow(/not JSON/)
  })
  it('gives CAP its hybrid profile and keeps the others', () => {
    const file = JSON.parse(formatBindings('.cdsrc-private.json', bindings, '{"requires":{"[dev]":{"db":true}}}')) as {
      requires: Record<string, Record<string, { credentials: unknown }>>
    }
    expect(file.requires['[dev]']).toEqual({ db: true })
    expect(file.requires['[hybrid]']?.['destinations']?.credentials).toEqual(bindings.destination[0].credentials)
  })
  it('CL-009 a Secret whose files have type, label, tags and .metadata', () => {
    const text = formatBindings('k8s', bindings, undefined)
    const metadata = /\.metadata: (".*")/.exec(text)?.[1]
    expect(JSON.parse(JSON.parse(metadata ?? '""') as string)).toMatchObject({
      metaDataProperties: expect.arrayContaining([{ name: 'tags', format: 'json' }]),
    })
    expect(text.split('---\n')).toHaveLength(3)
    for (const key of ['type', 'label', 'tags', 'clientid']) expect(text).toMatch(new RegExp(`^  ${key}: `, 'm'))
  })
  it('quotes shell lines so that nothing in them is run', () => {
    expect(formatShell({ A: "it's $(x)" })).toBe(String.raw`export A='it'\''s $(x)'` + '\n')
  })
  it('shows no secret unless asked', () => {
    const shown = JSON.stringify(redactBindings(bindings))
    for (const [binding] of Object.values(bindings)) expect(shown).not.toContain(binding.credentials['clientsecret'])
  })
})
