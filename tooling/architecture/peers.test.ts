import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { readWorkspace } from './src/workspace.ts'

const http = { Type: 'HTTP', URL: 'http://127.0.0.1:1' }
const ldap = { Type: 'LDAP', 'ldap.url': 'ldap://127.0.0.1:1' }
const smtp = { Type: 'MAIL', 'mail.transport.protocol': 'smtp', 'mail.smtp.host': '127.0.0.1', 'mail.smtp.port': '1' }
const imap = { Type: 'MAIL', 'mail.transport.protocol': 'imap4', 'mail.imap4.host': '127.0.0.1', 'mail.imap4.port': '1' }

/** What an application does with the package of ours that needs the library. */
const uses: readonly { readonly library: string; readonly of: string; readonly use: string }[] = [
  { library: 'undici', of: 'http', use: connect('createHttpAdapter({ clock })', http) },
  { library: 'ldapjs', of: 'ldap', use: connect("createLdapAdapter({ clock, driver: 'ldapjs' })", ldap) },
  { library: 'ldapts', of: 'ldap', use: connect("createLdapAdapter({ clock, driver: 'ldapts' })", ldap) },
  { library: 'nodemailer', of: 'smtp', use: connect('createSmtpAdapter({ clock })', smtp) },
  {
    library: 'nodemailer',
    of: 'cloud-connector',
    use: `createMailSender({ enabled: true, trustOption: 'tlsDisabled', sendTo: 'a@b.c', sendFrom: 'a@b.c', smtpHost: '127.0.0.1', trustStore: [] },
      core.silentLogger)({ type: 'Disk', timestampMs: 0 }, signal)`,
  },
  { library: 'imapflow', of: 'imap', use: connect('createImapAdapter({ clock })', imap) },
  {
    library: 'socks',
    of: 'dial',
    use: `createProxyDial({ kind: 'socks5', proxy: { host: '127.0.0.1', port: 1 }, token: async () => core.createSecret('t') })(
      { host: 'erp', port: 1 }, { signal, locationId: '' })`,
  },
]

/** Those of the RFC adapter belong to bindings, which say by themselves whether they are there; Kerberos is loaded in a child process, whose own test has it missing. */
const ofBindings: readonly string[] = ['kerberos', 'node-rfc', 'saxes']

function connect(adapter: string, properties: Readonly<Record<string, string>>): string {
  const destination = JSON.stringify({ Name: 'D', ProxyType: 'Internet', ...properties })
  return `${adapter}.connect(core.parseDestination(${destination}), { dial, credentials: { kind: 'none' }, signal, log: core.silentLogger })`
}

describe('a library that is not installed', () => {
  it('is known here for every package that has one', () => {
    const peers = readWorkspace()
      .filter(({ folder }) => folder.startsWith('packages/') && folder !== 'packages/conformance')
      .flatMap(({ folder, peerDependencies }) => Object.keys(peerDependencies).map((name) => `${name} of ${folder.split('/')[1]}`))
      .filter((peer) => !peer.startsWith('@sallyport/') && !ofBindings.includes(peer.split(' ')[0] ?? ''))
    expect(uses.map(({ library, of }) => `${library} of ${of}`).toSorted()).toEqual(peers.toSorted())
  })

  it.each(uses)('$library of $of is named by the first use, with what to do, and not by the import', async ({ library, of, use }) => {
    const script = `
      import { registerHooks } from 'node:module'
      registerHooks({
        resolve(specifier, context, next) {
          if (specifier !== '${library}' && !specifier.startsWith('${library}/')) return next(specifier, context)
          throw Object.assign(new Error("Cannot find package '${library}'"), { code: 'ERR_MODULE_NOT_FOUND' })
        },
      })
      const core = await import('@sallyport/core')
      const { create${adapterOf(use)} } = await import('@sallyport/${of}')
      const clock = core.systemClock
      const signal = AbortSignal.timeout(10_000)
      const dial = () => Promise.reject(new core.ConnectivityError('BACKEND_UNREACHABLE', 'nobody is to dial'))
      const used = async (client) => client?.ping?.(signal)
      const outcome = await ${use}.then(used).then(() => ({}), ({ code, message }) => ({ code, message }))
      process.stdout.write(JSON.stringify(outcome))`
    const conditions = ['--conditions=@sallyport/source', '--disable-warning=ExperimentalWarning', '--input-type=module']
    const { stdout } = await promisify(execFile)(process.execPath, [...conditions, '--eval', script], { cwd: import.meta.dirname })
    expect(JSON.parse(stdout)).toEqual({
      code: 'CONFIGURATION_INVALID',
      message: expect.stringMatching(new RegExp(`${library}.*install it beside @sallyport/${of}`)),
    })
  })
})

function adapterOf(use: string): string {
  return /^create(\w+)/.exec(use)?.[1] ?? ''
}
