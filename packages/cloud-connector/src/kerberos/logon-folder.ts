import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '@sallyport/core'
import { ticketGrantingMs } from '../limits.ts'
import type { KerberosLogon } from './kerberos-tickets.ts'
import { delegationProblem, isStaleLogon, serviceUserProblem } from './kerberos-problem.ts'
import { formatKrb5Configuration } from './krb5-configuration.ts'
import { runKrb5Program } from './run-krb5-program.ts'
import type { UserPrincipal } from './user-principal.ts'

/** A private folder with what MIT's programs read and write: configuration, keytab, and the credential caches of the service user and of others. */
export interface LogonFolder {
  /** Of programs that use it. `cache`: file of their own credential cache. */
  environment(cache: string): Readonly<Record<string, string>>
  /** File for the ticket of one user. */
  cacheFor(place: number): string
  /** Logs the service user on, unless that has been done a short time ago. @throws ConnectivityError `PRINCIPAL_NOT_ISSUED`; the reason of the signal. */
  logOn(signal: AbortSignal): Promise<void>
  /** Puts a ticket of the user for the service into a cache (S4U2self, then S4U2proxy). @throws as {@link logOn}. */
  delegate(user: UserPrincipal, service: string, cache: string, signal: AbortSignal): Promise<void>
  /** Looks whether `kvno` is there and can do that. @throws ConnectivityError `PRINCIPAL_NOT_ISSUED`. */
  checkPrograms(signal: AbortSignal): Promise<void>
  remove(): Promise<void>
}

/** Makes one below `parent`, which nobody else may write to. `searchPath`: where programs are looked for. */
export async function createLogonFolder(
  { keytab, settings }: KerberosLogon,
  options: { readonly parent: string; readonly searchPath: string; readonly clock: Clock },
): Promise<LogonFolder> {
  const { clock, parent, searchPath } = options
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
  const ownCache = `FILE:${file('service.cache')}`
  const servicePrincipal = `${settings.serviceUser}@${settings.realm}`
  let loggedOnAtMs: number | undefined
  let loggingOn: Promise<void> | undefined

  const environment = (cache: string): Readonly<Record<string, string>> => ({
    PATH: searchPath,
    LC_ALL: 'C',
    KRB5_CONFIG: file('krb5.conf'),
    KRB5CCNAME: cache,
  })
  const kinit = async (signal: AbortSignal): Promise<void> => {
    const args = ['-k', '-t', `FILE:${file('service.keytab')}`, '-c', ownCache, servicePrincipal]
    const { said, succeeded } = await runKrb5Program('kinit', args, { environment: environment(ownCache), signal })
    if (!succeeded) throw serviceUserProblem(said)
    loggedOnAtMs = clock.now()
  }
  const logOn = async (signal: AbortSignal): Promise<void> => {
    if (loggedOnAtMs !== undefined && clock.now() - loggedOnAtMs < ticketGrantingMs) return
    // One for all who wait.
    loggingOn ??= kinit(signal).finally(() => {
      loggingOn = undefined
    })
    await loggingOn
  }
  return {
    environment,
    cacheFor: (place) => `FILE:${file(`user-${place}.cache`)}`,
    logOn,
    async delegate(user, service, cache, signal) {
      const who = [user.kind === 'enterprise' ? '-U' : '-I', user.name]
      const args = ['-q', '-c', ownCache, ...who, '-P', '--out-cache', cache, `${service}@${settings.realm}`]
      const run = (): ReturnType<typeof runKrb5Program> => runKrb5Program('kvno', args, { environment: environment(ownCache), signal })
      await logOn(signal)
      let end = await run()
      if (!end.succeeded && isStaleLogon(end.said)) {
        loggedOnAtMs = undefined
        await logOn(signal)
        end = await run()
      }
      if (!end.succeeded) throw delegationProblem(end.said)
    },
    async checkPrograms(signal) {
      // Without arguments it tells its options, and that they are missing.
      const { said } = await runKrb5Program('kvno', [], { environment: environment(ownCache), signal })
      if (!said.includes('--out-cache')) throw delegationProblem('usage: kvno')
    },
    remove,
  }
}
