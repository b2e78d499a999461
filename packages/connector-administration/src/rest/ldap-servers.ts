import { ConnectivityError } from '@sallyport/core'
import { z } from 'zod'
import type { Access } from '../access/access.ts'
import type { LdapSettings, LdapStoreSettings } from '../ldap/ldap-store-settings.ts'
import { createLdapUserStore } from '../ldap/ldap-user-store.ts'
import { checkBody } from './check-body.ts'
import { ldapServerBody, readServer, renderServer, requireOrder } from './ldap-server-body.ts'
import { conflict, invalidRequest, notFound } from './rest-error.ts'
import { type Route, route } from './route.ts'
import { tolerantBoolean, tolerantInteger } from './tolerant-values.ts'

const path = '/api/v2/configuration/connector/authentication'
const servers = `${path}/ldap/servers`

const allServers = z.object({ enabled: tolerantBoolean, orderedLdapConfigurations: z.array(ldapServerBody) })

/** Directories of users, as a list (cloud-connector.md §8.5). What is changed while they are enabled is in force at once, and ends all sessions. */
export function ldapServers({ access }: { readonly access: Access }): readonly Route[] {
  const settings = (): LdapSettings => access.editor.settings.ldap
  const find = (id: string | undefined, stores: readonly LdapStoreSettings[] = settings().stores): LdapStoreSettings => {
    const found = stores.find((store) => store.id === id)
    if (found === undefined) throw notFound(`LDAP server with id '${id ?? ''}' does not exist`)
    return found
  }
  const change = (user: string, edit: (stores: readonly LdapStoreSettings[]) => readonly LdapStoreSettings[]): Promise<void> =>
    changeLdap(access, user, ({ stores }) => ({ stores: requireOrder(edit(stores)) }))
  const all = (): { readonly orderedLdapConfigurations: readonly unknown[] } => ({
    orderedLdapConfigurations: settings().stores.map(renderServer),
  })

  return [
    route({
      method: 'GET',
      path,
      permission: 'all',
      handle: () => ({ status: 200, body: settings().enabled ? { type: 'ldap', ...all() } : { type: 'basic' } }),
    }),
    route({
      method: 'GET',
      path: `${path}/ldap`,
      permission: 'all',
      handle: () => ({ status: 200, body: { enabled: settings().enabled, ...all() } }),
    }),
    route({
      method: 'PUT',
      path: `${path}/ldap`,
      permission: 'administrators',
      body: z.unknown(),
      async handle({ body, caller }) {
        await replaceLdap(access, caller.user, (current) => {
          const { enabled, orderedLdapConfigurations } = checkBody(allServers, body)
          const before = new Map(current.map((known) => [known.id, known]))
          const stores = orderedLdapConfigurations.map((each) => {
            const known = before.get(each.id ?? '')
            before.delete(each.id ?? '')
            return readServer(each, known?.id, known)
          })
          return { enabled, stores }
        })
        return { status: 204 }
      },
    }),
    route({
      method: 'POST',
      path: servers,
      permission: 'administrators',
      body: ldapServerBody,
      async handle({ body, caller, url }) {
        const added = readServer(body, undefined, undefined)
        await change(caller.user, (stores) => [...stores, added])
        return { status: 201, headers: { location: url(`${servers}/${added.id}`) } }
      },
    }),
    route({
      method: 'GET',
      path: `${servers}/:id`,
      permission: 'all',
      handle: ({ params }) => ({ status: 200, body: renderServer(find(params['id'])) }),
    }),
    route({
      method: 'PUT',
      path: `${servers}/:id`,
      permission: 'administrators',
      body: ldapServerBody,
      async handle({ body, caller, params }) {
        await change(caller.user, (stores) => {
          const before = find(params['id'], stores)
          return stores.map((each) => (each === before ? readServer(body, before.id, before) : each))
        })
        return { status: 204 }
      },
    }),
    route({
      method: 'DELETE',
      path: `${servers}/:id`,
      permission: 'administrators',
      async handle({ caller, params }) {
        await change(caller.user, (stores) => {
          const removed = find(params['id'], stores)
          if (stores.length === 1) throw conflict('the last LDAP server cannot be removed')
          return stores.filter((each) => each !== removed)
        })
        return { status: 204 }
      },
    }),
    route({
      method: 'POST',
      path: `${servers}/:id/move`,
      permission: 'administrators',
      body: z.object({ position: tolerantInteger(0, 2) }),
      async handle({ body: { position }, caller, params }) {
        await change(caller.user, (stores) => {
          const moved = find(params['id'], stores)
          const others = stores.filter((each) => each !== moved)
          if (position > others.length) throw invalidRequest(`position is 0 to ${others.length}`)
          return others.toSpliced(position, 0, moved)
        })
        return { status: 204 }
      },
    }),
    route({
      method: 'POST',
      path: '/api/private/v1/ldap/servers/:id/test',
      permission: 'administrators',
      body: z.object({ user: z.string().min(1).max(255), password: z.string().max(1024) }),
      async handle({ body, params }) {
        const protocol: string[] = []
        const tested = createLdapUserStore(find(params['id']), { trust: settings().trust, note: (line) => void protocol.push(line) })
        const answer = await tested.logOn(body.user, body.password).catch((error: unknown) => {
          if (!ConnectivityError.is(error)) throw error
          return { kind: 'unknown' } as const
        })
        const success = answer.kind === 'known'
        return { status: 200, body: { success, roles: success ? answer.user.roles : [], protocol } }
      },
    }),
    route({
      method: 'GET',
      path: '/api/private/v1/ldap/trust',
      permission: 'all',
      handle: () => ({ status: 200, body: settings().trust }),
    }),
    route({
      method: 'PUT',
      path: '/api/private/v1/ldap/trust',
      permission: 'administrators',
      body: z.object({
        mode: z.enum(['listed-and-public', 'listed', 'all']),
        certificates: z.array(z.string().regex(/^\s*-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\s*$/)).max(1000),
      }),
      async handle({ body, caller }) {
        await changeLdap(access, caller.user, () => ({ trust: body }))
        return { status: 204 }
      },
    }),
  ]
}

/** Replaces the directories and whether they are enabled. When that fails nothing is stored, and they are disabled, as the original does; their users' sessions end. */
export async function replaceLdap(
  access: Access,
  user: string,
  read: (current: readonly LdapStoreSettings[]) => Pick<LdapSettings, 'enabled' | 'stores'>,
): Promise<void> {
  try {
    await changeLdap(access, user, (ldap) => {
      const { enabled, stores } = read(ldap.stores)
      if (enabled && stores.length === 0) throw invalidRequest('an LDAP server is needed to enable LDAP')
      return { enabled, stores: requireOrder(stores) }
    })
  } catch (error) {
    if (access.editor.settings.ldap.enabled) {
      await access.editor.change(user, (settings) => ({ ...settings, ldap: { ...settings.ldap, enabled: false } }))
      access.sessions.closeOthers(undefined)
    }
    throw error
  }
}

/** Checks what will be in force against the directories themselves. @throws RestError 409 when one of them cannot be reached. */
async function changeLdap(access: Access, user: string, edit: (ldap: LdapSettings) => Partial<LdapSettings>): Promise<void> {
  const wasEnabled = access.editor.settings.ldap.enabled
  await access.editor.change(user, async (settings) => {
    const ldap = { ...settings.ldap, ...edit(settings.ldap) }
    if (ldap.enabled) await Promise.all(ldap.stores.map((store) => requireReach(store, ldap)))
    return { ...settings, ldap }
  })
  if (wasEnabled || access.editor.settings.ldap.enabled) access.sessions.closeOthers(undefined)
}

async function requireReach(store: LdapStoreSettings, { trust }: LdapSettings): Promise<void> {
  try {
    await createLdapUserStore(store, { trust }).reach()
  } catch (error) {
    if (ConnectivityError.is(error)) throw conflict(error.message)
    throw error
  }
}
