import { z } from 'zod'
import type { Access } from '../access/access.ts'
import { sessionCookie, sessionHeaders } from '../access/authenticate.ts'
import type { Session } from '../access/sessions.ts'
import type { ConfigurationEditor } from '../document/configuration-editor.ts'
import { RestError } from './rest-error.ts'
import { type Answer, type Route, route } from './route.ts'

const path = '/api/private/v1/session'

/** Log-on and log-off of our own pages. Other clients log on with any request. */
export function sessionRoutes({ access, editor }: { readonly access: Access; readonly editor: ConfigurationEditor }): readonly Route[] {
  const describe = ({ endsAtMs, user }: Session): unknown => ({
    user: user.name,
    roles: user.roles,
    initialPassword: access.hasInitialPassword(user.name),
    haRole: editor.document.connector.haRole,
    ...(editor.configuredBy === undefined ? {} : { configuredBy: editor.configuredBy }),
    endsAtTimeStamp: endsAtMs,
  })
  const tell = (session: Session): Answer => ({ status: 200, body: describe(session), headers: sessionHeaders(session) })
  return [
    route({
      method: 'POST',
      path,
      permission: 'everybody',
      body: z.object({ user: z.string().max(255), password: z.string().max(1024) }),
      async handle({ address, body: { password, user }, socket }) {
        const proof = await access.proveUser({ socket, address }, { name: user, password })
        if (proof.kind === 'refused') throw new RestError(401, 'INVALID_REQUEST', proof.reason)
        return tell(access.sessions.open(proof.user))
      },
    }),
    route({
      method: 'GET',
      path,
      permission: 'authenticated',
      before: 'password-change',
      handle({ caller }) {
        const session = caller.session === undefined ? undefined : access.sessions.use(caller.session)
        if (session === undefined) throw new RestError(404, 'NOT_FOUND', 'the request belongs to no session')
        return tell(session)
      },
    }),
    route({
      method: 'DELETE',
      path,
      permission: 'authenticated',
      before: 'password-change',
      handle({ caller }) {
        if (caller.session !== undefined) access.sessions.close(caller.session)
        return { status: 204, headers: { 'set-cookie': `${sessionCookie}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict` } }
      },
    }),
  ]
}
