import type { Access } from './access.ts'
import { sessionCookie } from './authenticate.ts'

/** What a client on the same machine needs to call as the operating-system user who runs the connector. */
export interface LocalSession {
  /** Value of the header `Cookie`. */
  readonly cookie: string
  /** Value of the header `X-CSRF-Token`, for whatever changes something. */
  readonly token: string
}

/**
 * Opens a session for an operating-system user who has proven by other means that the files of the installation are his: he may do everything, as he could with
 * those files. His name in the audit log is `local:<name>`, which nobody can log on with.
 */
export function openLocalSession({ sessions }: Pick<Access, 'sessions'>, name: string): LocalSession {
  const { id, token } = sessions.open({ name: `local:${name}`, roles: ['sccadmin'] })
  return { cookie: `${sessionCookie}=${id}`, token }
}
