import type { Clock } from '@sallyport/core'
import { createAttemptLimiter } from './attempt-limiter.ts'
import { failureWindowMs, maxFailuresPerAddress, maxFailuresPerUser, maxNameLength } from './limits.ts'
import type { PasswordHasher } from './password-hash.ts'
import { refusal } from './token-errors.ts'
import type { DirectoryUser, UserDirectory } from './user.ts'

/** Checks names and passwords, with bounded attempts. */
export interface PasswordLogOn {
  /**
   * The user, if name and password fit. `remoteAddress` is given where it stands for a person, on the log-on page; behind the grant `password` an
   * application stands for many.
   *
   * @throws ConnectivityError, see {@link refusal}: 401 `unauthorized`; 429 after too many failures, also with the right password.
   */
  check(attempt: {
    readonly tenantId: string
    readonly name: string
    readonly password: string
    readonly remoteAddress: string | undefined
  }): Promise<DirectoryUser>
}

/** Creates the check. Failures are counted in this process; processes that share a directory count each for itself. */
export function createPasswordLogOn(deps: {
  readonly users: UserDirectory
  readonly hasher: PasswordHasher
  readonly clock: Clock
}): PasswordLogOn {
  const { users, hasher, clock } = deps
  const byUser = createAttemptLimiter({ clock, maxFailures: maxFailuresPerUser, windowMs: failureWindowMs })
  const byAddress = createAttemptLimiter({ clock, maxFailures: maxFailuresPerAddress, windowMs: failureWindowMs })
  return {
    async check({ tenantId, name, password, remoteAddress }) {
      if (name.length > maxNameLength) throw refusal(401, 'unauthorized', 'Bad credentials')
      const userKey = JSON.stringify([tenantId, name.toLowerCase()])
      const wait = Math.max(byUser.retryAfterSeconds(userKey), remoteAddress === undefined ? 0 : byAddress.retryAfterSeconds(remoteAddress))
      if (wait > 0) throw refusal(429, 'too_many_attempts', `Too many failed log-ons; try again in ${wait} seconds`, wait)
      const user = await users.findByName(tenantId, name)
      if ((await hasher.verify(password, user?.passwordHash)) && user !== undefined) {
        byUser.succeeded(userKey)
        return user
      }
      byUser.failed(userKey)
      if (remoteAddress !== undefined) byAddress.failed(remoteAddress)
      throw refusal(401, 'unauthorized', 'Bad credentials')
    },
  }
}
