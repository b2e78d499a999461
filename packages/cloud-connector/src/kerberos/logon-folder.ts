import { copyFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, ConnectivityError } from '@sallyport/core'
import type { KerberosLogon } from './kerberos-tickets.ts'
import { delegationProblem, isStaleLogon, serviceUserProblem } from './kerberos-problem.ts'
import { formatKrb5Configuration } from './krb5-configuration.ts'
import { runKrb5Program } from './run-krb5-program.ts'
import { createServiceLogon, type ServiceLogon } from './service-logon.ts'
import type { UserPrincipal } from './user-principal.ts'

/** A private folder with what MIT's programs read and write: configuration, keytab, and the credential caches of the service user and of others. */
export interface LogonFolder {
  /** Of programs that use it. `cache`: file of their own credential cache. */
  environment(cache: string): Readonly<Record<string, string>>
  /** File for the ticket of one user. */
  cacheFor(place: number): string
  /** Of the service user. */
  readonly serviceLogon: Pick<ServiceLogon, 'prove'>
  /**
   * Puts a ticket of the user for the service into a cache (S4U2self, then S4U2proxy), and logs the service user on if need be. Nothing of it stays anywhere else.
   *
   * @throws ConnectivityError `PRINCIPAL_NOT_ISSUED`; the reason of the signal.
   */
  delegate(user: UserPrincipal, service: string, cache: string, signal: AbortSignal): Promise<void>
  /** Looks whether `kvno` is there and can do that. @throws ConnectivityError `PRINCIPAL_NOT_ISSUED`. */
  checkPrograms(signal: AbortSignal): Promise<void>
  /** Ends a log-on that is under way. */
  remove(): Promise<void>
}

/** Makes one below `parent`, which nobody else may write to. `searchPath`: where programs are looked for; `onLogonFailed`: told about each log-on that has failed. */
export async function createLogonFolder(
  { keytab, settings }: KerberosLogon,
  options: {
    readonly parent: string
    readonly searchPath: string
    readonly clock: Clock
    readonly onLogonFailed: (error: ConnectivityError) => void
  },
): Promise<LogonFolder> {
  const { clock, onLogonFailed, parent, searchPath } = options
  // Only its owner may look into it (mode 0700).
  const folder = await mkdtemp(join(parent, 'kerberos-'))
  const file = (name: string): string => join(folder, name)
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true })
  try {
    await writeFile(file('krb5.conf'), formatKrb5Configuration(settings), { mode: 0o600 })
    await writeFile(file('service.keytab'), Buffer.from(keytab.reveal(), 'base64'), { mode: 0o600 })
  } catch (error) {
    await remove()
    throw error
  }
  const servicePrincipal = `${settings.serviceUser}@${settings.realm}`

  const environment = (cache: string): Readonly<Record<string, string>> => ({
    PATH: searchPath,
    LC_ALL: 'C',
    KRB5_CONFIG: file('krb5.conf'),
    KRB5CCNAME: cache,
  })
  const kinit = async (signal: AbortSignal): Promise<void> => {
    const cache = `FILE:${file('service.new')}`
    const args = ['-k', '-t', `FILE:${file('service.keytab')}`, '-c', cache, servicePrincipal]
    const { said, succeeded } = await runKrb5Program('kinit', args, { environment: environment(cache), signal })
    if (!succeeded) throw serviceUserProblem(said)
    // At once, because others copy it.
    await rename(file('service.new'), file('service.cache'))
  }
  const serviceLogon = createServiceLogon({ attempt: kinit, clock, onFailed: onLogonFailed })
  return {
    environment,
    cacheFor: (place) => `FILE:${file(`user-${place}.cache`)}`,
    serviceLogon,
    async delegate(user, service, cache, signal) {
      const who = [user.kind === 'enterprise' ? '-U' : '-I', user.name]
      // kvno also keeps what it gets in the cache of the log-on, in spite of --out-cache. So it gets a copy of that.
      const copy = `${cache}.logon`
      const copyFileName = copy.slice('FILE:'.length)
      const args = ['-q', '-c', copy, ...who, '-P', '--out-cache', cache, `${service}@${settings.realm}`]
      const run = async (): ReturnType<typeof runKrb5Program> => {
        await copyFile(file('service.cache'), copyFileName)
        return await runKrb5Program('kvno', args, { environment: environment(copy), signal })
      }
      try {
        await serviceLogon.ensure(signal)
        let end = await run()
        if (!end.succeeded && isStaleLogon(end.said)) {
          await serviceLogon.renew(signal)
          end = await run()
        }
        if (!end.succeeded) throw delegationProblem(end.said)
      } finally {
        await rm(copyFileName, { force: true })
      }
    },
    async checkPrograms(signal) {
      // Without arguments it tells its options, and that they are missing.
      const { said } = await runKrb5Program('kvno', [], { environment: environment(`FILE:${file('service.cache')}`), signal })
      if (!said.includes('--out-cache')) throw delegationProblem('usage: kvno')
    },
    async remove() {
      serviceLogon.close(new ConnectivityError('PRINCIPAL_NOT_ISSUED', 'the service user is not needed any more'))
      await remove()
    },
  }
}
