import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { type ForegroundProgram, startForeground } from './foreground.ts'
import { findProgram } from './programs.ts'
import { type Slapd, startSlapd } from './slapd.ts'
import { startOnFreePorts } from './start-on-free-ports.ts'

const run = promisify(execFile)

export interface KdcOptions {
  /** Commands of kadmin, such as `addprinc -randkey HTTP/backend.acme.test`. */
  readonly commands: readonly string[]
  /** Services that a principal may pass users on to, by principal without realm. */
  readonly delegation?: Readonly<Record<string, readonly string[]>>
  /** Further names of principals, such as mail addresses, by which the KDC finds them as well. */
  readonly aliases?: Readonly<Record<string, string>>
  /** Where it listens; a free port of 127.0.0.1 unless told. */
  readonly address?: { readonly host: string; readonly port: number }
}

/** The KDC of the realm `ACME.TEST`. Its database is a directory: only there MIT's KDC knows whom a service may act for. */
export interface Kdc extends AsyncDisposable {
  readonly realm: string
  readonly host: string
  readonly port: number
  /** A `krb5.conf` that leads to it. */
  readonly configurationFile: string
  /** One line for every ticket that it was asked for. */
  readonly log: () => string
  /** A new keytab with new keys of these principals, which end older keytabs of theirs. */
  keytab(...principals: readonly string[]): Promise<Buffer>
  kadmin(...commands: readonly string[]): Promise<void>
  /** Ends the KDC; its database stays. */
  halt(): Promise<void>
  /** Starts it again, at the same address. */
  start(): Promise<void>
  stop(): Promise<void>
}

const realm = 'ACME.TEST'
const masterPassword = 'master-password-of-the-kdc'
const schemaFile = '/usr/share/doc/krb5-kdc-ldap/kerberos.schema.gz'
const startTimeoutMs = 10_000

/** Starts the system's krb5kdc in the foreground, with a database of its own in a private directory. The caller stops it. */
export async function startKdc(options: KdcOptions): Promise<Kdc> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-kdc-'))
  const file = (name: string): string => join(folder, name)
  let slapd: Slapd | undefined
  let program: ForegroundProgram | undefined
  const stop = async (): Promise<void> => {
    await program?.stop()
    await slapd?.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    // Servers that run as somebody else read the configuration; what is secret has a mode of its own.
    chmodSync(folder, 0o755)
    writeFileSync(file('kerberos.schema'), gunzipSync(readFileSync(schemaFile)))
    const directory = await startSlapd({ schemas: [file('kerberos.schema')] })
    slapd = directory
    let host = options.address?.host ?? '127.0.0.1'
    let port = options.address?.port ?? 0
    const environment = { KRB5_CONFIG: file('krb5.conf'), KRB5_KDC_PROFILE: file('kdc.conf') }
    const configure = (): void => {
      writeFileSync(file('krb5.conf'), clientConfiguration(`${host}:${port}`))
      writeFileSync(file('kdc.conf'), serverConfiguration(folder, `${host}:${port}`, directory))
    }
    configure()
    writeFileSync(file('directory.stash'), `${directory.rootDn}#{HEX}${Buffer.from(directory.rootPassword).toString('hex')}\n`, {
      mode: 0o600,
    })
    const ldap = ['-D', directory.rootDn, '-w', directory.rootPassword]
    const ask = async (name: string, args: readonly string[]): Promise<void> => {
      const path = findProgram(name)
      if (path === undefined) throw new Error(`${name} is not installed`)
      await run(path, [...args], { env: { ...process.env, ...environment } })
    }
    const kadmin = async (...commands: readonly string[]): Promise<void> => {
      for (const command of commands) await ask('kadmin.local', ['-q', command])
    }
    await ask('kdb5_ldap_util', [...ldap, 'create', '-subtrees', directory.suffix, '-r', realm, '-s', '-P', masterPassword])
    await kadmin(...options.commands)
    const changes = [
      ...Object.entries(options.delegation ?? {}).map(([principal, services]) => delegationEntry(principal, services, directory.suffix)),
      ...Object.entries(options.aliases ?? {}).map(([principal, alias]) => aliasEntry(principal, alias, directory.suffix)),
    ]
    if (changes.length > 0) {
      writeFileSync(file('changes.ldif'), changes.join('\n'))
      await ask('ldapmodify', ['-x', '-H', `ldap://127.0.0.1:${directory.port}`, ...ldap, '-f', file('changes.ldif')])
    }
    const launch = (): Promise<ForegroundProgram> =>
      startForeground({ program: 'krb5kdc', args: ['-n'], ready: /commencing operation/, timeoutMs: startTimeoutMs, environment })
    if (options.address === undefined) {
      const started = await startOnFreePorts(['kdc'], {
        start(chosen) {
          port = chosen.kdc
          configure()
          return launch()
        },
      })
      program = started.program
    } else program = await launch()
    let past = ''
    const kdc: Kdc = {
      realm,
      host,
      port,
      configurationFile: file('krb5.conf'),
      log: () => past + (program?.stderr() ?? ''),
      async keytab(...principals) {
        rmSync(file('new.keytab'), { force: true })
        await kadmin(`ktadd -k ${file('new.keytab')} ${principals.join(' ')}`)
        return readFileSync(file('new.keytab'))
      },
      kadmin,
      async halt() {
        past = kdc.log()
        await program?.stop()
        program = undefined
      },
      async start() {
        program ??= await launch()
      },
      stop,
      [Symbol.asyncDispose]: stop,
    }
    return kdc
  } catch (error) {
    await stop()
    throw error
  }
}

function clientConfiguration(address: string): string {
  return `[libdefaults]
  default_realm = ${realm}
  dns_lookup_kdc = false
  dns_canonicalize_hostname = false
  rdns = false
[realms]
  ${realm} = {
    kdc = ${address}
  }
`
}

function serverConfiguration(folder: string, address: string, directory: Slapd): string {
  return `[kdcdefaults]
  kdc_listen = ${address}
  kdc_tcp_listen = ${address}
[realms]
  ${realm} = {
    database_module = directory
    key_stash_file = ${folder}/master.stash
  }
[dbmodules]
  directory = {
    db_library = kldap
    ldap_kdc_dn = "${directory.rootDn}"
    ldap_kadmind_dn = "${directory.rootDn}"
    ldap_service_password_file = ${folder}/directory.stash
    ldap_servers = ldap://127.0.0.1:${directory.port}
    ldap_kerberos_container_dn = "cn=kerberos,${directory.suffix}"
  }
[logging]
  kdc = STDERR
`
}

function delegationEntry(principal: string, services: readonly string[], suffix: string): string {
  const granted = services.map((service) => `krbAllowedToDelegateTo: ${service}`)
  return changeEntry(principal, suffix, ['add: krbAllowedToDelegateTo', ...granted])
}

function aliasEntry(principal: string, alias: string, suffix: string): string {
  // The directory has it without the backslash that Kerberos writes in front of the first @.
  const name = `krbPrincipalName: ${alias}@${realm}`
  return changeEntry(principal, suffix, [
    'add: krbPrincipalName',
    name,
    '-',
    'add: krbCanonicalName',
    `krbCanonicalName: ${principal}@${realm}`,
  ])
}

function changeEntry(principal: string, suffix: string, lines: readonly string[]): string {
  return [`dn: krbPrincipalName=${principal}@${realm},cn=${realm},cn=kerberos,${suffix}`, 'changetype: modify', ...lines, ''].join('\n')
}
