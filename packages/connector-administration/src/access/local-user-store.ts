import { invalidRequest } from '../rest/rest-error.ts'
import type { AccessEditor } from './access-editor.ts'
import type { LocalUser } from './access-settings.ts'
import type { LogOnLock } from './log-on-lock.ts'
import type { KnownUser, UserStore } from './user-store.ts'

/** Hashes passwords beside the event loop, a bounded number at a time. */
export interface PasswordHasher {
  hash(password: string): Promise<string>
  /** Does the same work without a stored form, so that time does not tell who exists. @throws ConnectivityError `SERVICE_UNAVAILABLE` under too much load. */
  verify(password: string, stored: string | undefined): Promise<boolean>
}

/** The local store: exactly one user, who is an administrator (cloud-connector.md §5.1). */
export interface LocalUserStore extends UserStore {
  readonly user: LocalUser
  /** Asks for the password of now. `user` is who asked, for the audit log. @throws RestError 400 when it is another. */
  rename(user: string, name: string, password: string): Promise<void>
  /** No rule is applied to the new password but that it is new. @throws RestError 400 for a wrong old password, or the same one again. */
  changePassword(user: string, oldPassword: string, newPassword: string): Promise<void>
}

const firstName = 'Administrator'
/** Party of the lock that changes of the local user are. */
const changes = 'changes of the local user'

/** Opens the store. At the first start it makes the user, with the password that `initialPassword` gives. */
export async function openLocalUserStore(options: {
  readonly access: AccessEditor
  readonly hasher: PasswordHasher
  readonly initialPassword: () => string
  /** Counts wrong passwords in changes: whoever has got hold of a session must not find the password out by them. */
  readonly lock: LogOnLock
}): Promise<LocalUserStore> {
  const { access, hasher, initialPassword, lock } = options
  if (access.settings.localUser === undefined) {
    const localUser: LocalUser = { name: firstName, password: await hasher.hash(initialPassword()), initial: true }
    await access.change('installation', (settings) => ({ ...settings, localUser }))
  }
  const current = (): LocalUser => {
    const { localUser } = access.settings
    if (localUser === undefined) throw new Error('the local user is never removed')
    return localUser
  }
  const requirePassword = async (password: string): Promise<LocalUser> => {
    if (lock.isLocked(changes)) throw invalidRequest('too many wrong passwords; try again in five minutes')
    const user = current()
    if (!(await hasher.verify(password, user.password))) {
      lock.failed(changes)
      throw invalidRequest('the current password is wrong')
    }
    lock.succeeded(changes)
    return user
  }
  const known = ({ name }: LocalUser): KnownUser => ({ name, roles: ['sccadmin'] })

  return {
    get user() {
      return current()
    },
    async logOn(name, password) {
      const user = current()
      const right = await hasher.verify(password, name === user.name ? user.password : undefined)
      return right ? known(user) : undefined
    },
    async find(name) {
      const user = current()
      return name === user.name ? known(user) : undefined
    },
    rename: (user, name, password) =>
      access.change(user, async (settings) => {
        const before = await requirePassword(password)
        return { ...settings, localUser: { ...before, name } }
      }),
    changePassword: (user, oldPassword, newPassword) =>
      access.change(user, async (settings) => {
        const before = await requirePassword(oldPassword)
        if (newPassword === oldPassword) throw invalidRequest('the new password is the old one')
        return { ...settings, localUser: { ...before, password: await hasher.hash(newPassword), initial: false } }
      }),
  }
}
