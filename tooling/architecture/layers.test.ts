import { describe, expect, it } from 'vitest'
import { importsOf, read, readWorkspace, sourceFiles } from './src/workspace.ts'

interface Manifest {
  readonly files: readonly string[]
  readonly exports: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly publishConfig: { readonly exports: Readonly<Record<string, Readonly<Record<string, string>>>> }
}

interface Layer {
  /** Packages of the workspace, without scope. */
  readonly may: readonly string[]
  /** Third-party packages. */
  readonly uses?: readonly string[]
  readonly because: string
}

/** What each published package may touch at run time. A violation prints the reason, so that it can be argued with. */
const layers: Readonly<Record<string, Layer>> = {
  core: { may: [], because: 'everybody depends on it, so it depends on nobody' },
  'http-head': { may: [], because: 'pure functions over bytes; both ends of the tunnel and their tests use it' },
  'rfc-wire': { may: [], because: 'pure functions over bytes; the RFC client, the relay and their test peers use it' },
  x509: { may: ['core'], because: 'pure functions on node:crypto' },
  keystore: {
    may: ['core'],
    uses: ['node-forge', 'jks-js'],
    because: 'it turns files into PEM; what is done with keys is decided elsewhere',
  },
  'token-verifier': { may: ['core'], uses: ['jose'], because: 'key sources are handed to it, it fetches nothing by itself' },
  tunnel: { may: ['core'], because: 'it carries streams and knows no protocol inside them' },
  dial: { may: ['core', 'tunnel'], uses: ['socks'], because: 'it opens byte streams for adapters; both others are optional peers' },
  'principal-propagation': { may: ['core', 'token-verifier', 'x509'], because: 'from token to certificate, without network' },
  store: { may: ['core'], uses: ['kysely', 'pg'], because: 'it opens databases; tables belong to the services' },
  'admin-api': { may: ['core'], uses: ['zod'], because: 'the UI and the command line import it' },
  'token-service': {
    may: ['core', 'admin-api', 'token-verifier'],
    uses: ['fastify', '@fastify/formbody', '@fastify/cookie', 'jose', 'kysely', 'zod'],
    because: 'services meet on the wire',
  },
  'destination-service': {
    may: ['core', 'admin-api', 'keystore', 'token-verifier', 'x509'],
    uses: ['fastify', '@fastify/swagger', '@fastify/swagger-ui', 'jose', 'kysely', 'undici', 'xml-crypto', 'yaml', 'zod'],
    because: 'services meet on the wire',
  },
  'destination-client': {
    may: ['core', 'dial'],
    because: 'applications import it first; it must stay small, and only its second entry knows the ways to a destination',
  },
  'connectivity-proxy': {
    may: ['core', 'tunnel', 'http-head', 'token-verifier', 'x509', 'admin-api'],
    uses: ['fastify', 'kysely', 'zod'],
    because: 'it sees virtual hosts, never destinations',
  },
  'cloud-connector': {
    may: ['core', 'tunnel', 'principal-propagation', 'token-verifier', 'x509', 'admin-api', 'http-head', 'rfc-wire', 'stream'],
    uses: ['fastify', 'zod', 'yaml', 'js-yaml', 'nodemailer', 'kerberos'],
    because: 'it trusts nothing of the cloud side but the wire; with http-head and rfc-wire it reads what it decides about',
  },
  'connector-administration': {
    may: ['core', 'admin-api', 'cloud-connector', 'dial', 'keystore', 'principal-propagation', 'x509'],
    uses: ['fastify', 'fflate', 'ldapts', 'zod'],
    because:
      'it configures the connector from outside; the data path knows nothing of users and REST; through the proxy that is administered leads a dial',
  },
  stream: { may: ['core'], because: 'what protocol libraries need around a stream: it changes streams and opens none' },
  http: { may: ['core', 'destination-client', 'stream'], uses: ['undici'], because: 'an adapter sees a dial, not the network' },
  ldap: {
    may: ['core', 'destination-client', 'stream'],
    uses: ['ldapjs', 'ldapts'],
    because: 'an adapter sees a dial, not the network; both libraries are optional peers',
  },
  rfc: {
    may: ['core', 'destination-client', 'http', 'rfc-wire', 'stream'],
    uses: ['saxes', 'node-rfc'],
    because:
      'an adapter sees a dial, not the network; what a binding needs is an optional peer, the HTTP adapter that SOAP travels on among them',
  },
  smtp: { may: ['core', 'destination-client', 'stream'], uses: ['nodemailer'], because: 'an adapter sees a dial, not the network' },
  imap: {
    may: ['core', 'destination-client', 'stream'],
    uses: ['imapflow'],
    because: 'an adapter sees a dial, not the network; the library is led to its stream',
  },
  pop3: { may: ['core', 'destination-client', 'stream'], because: 'an adapter sees a dial, not the network; the client is its own' },
  tcp: { may: ['core', 'destination-client', 'stream'], because: 'an adapter sees a dial, not the network' },
  conformance: {
    may: ['core', 'rfc-wire'],
    uses: ['vitest'],
    because:
      'so that every package can run its own conformance without a cycle; the gateway that it plays is written with the codecs of RFC',
  },
}

/** The clock itself, and what stands in for the application where it hands nothing in. */
const insideAnyway: readonly string[] = ['packages/core/src/clock.ts', 'packages/destination-client/src/connect/application.ts']

const workspace = readWorkspace()
const published = workspace.filter((entry) => entry.folder.startsWith('packages/'))

describe('layers', () => {
  it('knows every package', () => {
    expect(published.map((entry) => entry.folder.replace('packages/', '')).toSorted()).toEqual(Object.keys(layers).toSorted())
  })

  it.each(Object.entries(layers))('%s imports what its layer allows', (folder, layer) => {
    const allowed = new Set([...layer.may.map((name) => `@sallyport/${name}`), ...(layer.uses ?? [])])
    const manifest = workspace.find((entry) => entry.folder === `packages/${folder}`)
    const declared = Object.keys({ ...manifest?.dependencies, ...manifest?.peerDependencies })
    const imported = sourceFiles(`packages/${folder}`)
      .flatMap((file) => importsOf(file))
      .filter((name) => !name.startsWith('node:'))
      .map((name) =>
        name
          .split('/')
          .slice(0, name.startsWith('@') ? 2 : 1)
          .join('/'),
      )
      .filter((name) => name !== `@sallyport/${folder}`)
    for (const name of [...declared, ...imported]) expect(allowed, `${folder} touches ${name}, but ${layer.because}`).toContain(name)
    for (const name of imported) expect(declared, `${folder} imports ${name} without declaring it`).toContain(name)
  })

  it('keeps the environment, the real clock and process.exit inside apps', () => {
    const offences = published.flatMap(({ folder }) =>
      sourceFiles(folder).flatMap((file) => {
        const code = withoutComments(file)
        return [/\bprocess\.env\b/, /\bprocess\.exit\b/, /\bDate\.now\b/, /\bnew Date\(\)/, /\bconsole\./]
          .filter((pattern) => pattern.test(code) && !insideAnyway.includes(file))
          .map((pattern) => `${file}: ${pattern.source}`)
      }),
    )
    expect(offences).toEqual([])
  })

  it('publishes built code alone, under the same names as here', () => {
    for (const { folder } of published) {
      const { files, exports, publishConfig } = JSON.parse(read(`${folder}/package.json`)) as Manifest
      const built = Object.entries(exports).map(([name, { '@sallyport/source': _source, ...conditions }]) => [name, conditions])
      expect({ files, exports: publishConfig.exports }, folder).toEqual({
        files: ['dist', '!dist/**/*.map'],
        exports: Object.fromEntries(built),
      })
    }
  })

  it('gives every package the same scripts', () => {
    for (const entry of published) expect(Object.keys(entry.scripts), entry.folder).toEqual(['build', 'types', 'test', 'conformance'])
  })

  it('never makes a package of SAP a run-time dependency', () => {
    const offences = workspace.flatMap((entry) =>
      Object.keys(entry.dependencies)
        .filter((name) => name.startsWith('@sap') || name.startsWith('sap-'))
        .map((name) => `${entry.name}: ${name}`),
    )
    expect(offences).toEqual([])
  })
})

function withoutComments(file: string): string {
  return read(file)
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/(^|\s)\/\/[^\n]*/g, '$1')
}
