import { z } from 'zod'
import type { Access } from '../access/access.ts'
import { checkBody } from './check-body.ts'
import { ldapServerBody, readServer, renderServer } from './ldap-server-body.ts'
import { replaceLdap } from './ldap-servers.ts'
import { invalidRequest } from './rest-error.ts'
import { type Route, route } from './route.ts'
import { tolerantBoolean } from './tolerant-values.ts'

const path = '/api/v1/configuration/connector/authentication'

const name = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[^:\p{Cc}]+$/u, 'a user name has no colon and no control characters')
const password = z.string().min(1).max(512)
const basicBody = z.object({
  user: name.optional(),
  password: password.optional(),
  oldPassword: password.optional(),
  newPassword: password.optional(),
})

const ldapBody = z.object({ enable: tolerantBoolean, configuration: ldapServerBody.optional() })

/** Name and password of the local user, and the one directory that clients of the first version know (cloud-connector.md §8.5, §1.4). */
export function authentication({ access }: { readonly access: Access }): readonly Route[] {
  const { editor, localUser, sessions } = access
  return [
    route({
      method: 'GET',
      path,
      permission: 'all',
      handle() {
        const { enabled, stores } = editor.settings.ldap
        return { status: 200, body: enabled ? { type: 'ldap', configuration: stores.map(renderServer)[0] } : { type: 'basic' } }
      },
    }),
    route({
      method: 'PUT',
      path: `${path}/ldap`,
      permission: 'administrators',
      body: z.unknown(),
      async handle({ body, caller }) {
        await replaceLdap(access, caller.user, (stores) => {
          const { configuration, enable } = checkBody(ldapBody, body)
          const [before] = stores
          return { enabled: enable, stores: configuration === undefined ? stores : [readServer(configuration, before?.id, before)] }
        })
        return { status: 204 }
      },
    }),
    route({
      method: 'PUT',
      path: `${path}/basic`,
      permission: 'administrators',
      before: 'password-change',
      body: basicBody,
      async handle({ body, caller }) {
        const changesPassword = body.oldPassword !== undefined || body.newPassword !== undefined
        // Both changes at once are acknowledged and not made, as the original does.
        if (changesPassword && body.user !== undefined) return { status: 204 }
        const isLocalUser = !editor.settings.ldap.enabled && caller.user === localUser.user.name
        if (changesPassword) {
          if (body.oldPassword === undefined || body.newPassword === undefined)
            throw invalidRequest('oldPassword and newPassword are needed')
          await localUser.changePassword(caller.user, body.oldPassword, body.newPassword)
        } else {
          if (body.user === undefined || body.password === undefined) throw invalidRequest('user and password are needed')
          await localUser.rename(caller.user, body.user, body.password)
        }
        // Users of a directory may change the local user as well, and stay who they are.
        sessions.closeOthers(caller.session, isLocalUser ? { name: localUser.user.name, roles: caller.roles } : undefined)
        return { status: 204 }
      },
    }),
  ]
}
