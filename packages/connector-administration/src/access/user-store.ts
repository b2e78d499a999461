import type { Role } from './roles.ts'

/** Somebody whom a store knows. Without roles everything is forbidden to him. */
export interface KnownUser {
  readonly name: string
  readonly roles: readonly Role[]
}

/** Where users are kept. */
export interface UserStore {
  /**
   * The user, if name and password fit.
   *
   * @throws ConnectivityError when it cannot be found out now.
   */
  logOn(name: string, password: string): Promise<KnownUser | undefined>
  /** The user of a name that has been proven otherwise, such as by a certificate. */
  find(name: string): Promise<KnownUser | undefined>
}
