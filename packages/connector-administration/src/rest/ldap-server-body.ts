import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { type LdapStoreSettings, maxLdapStores } from '../ldap/ldap-store-settings.ts'
import { parseSearchRules } from '../ldap/search-rules.ts'
import { invalidRequest } from './rest-error.ts'
import { tolerantBoolean, tolerantInteger } from './tolerant-values.ts'

const host = z.object({
  host: z
    .string()
    .min(1)
    .max(255)
    .regex(/^[\w.:-]+$/, 'is no host name'),
  port: tolerantInteger(1, 65_535).default(389),
  isSecure: tolerantBoolean.default(false),
})

/** Empty and null mean that there is none. */
const optionalText = (length: number): z.ZodType<string | undefined> =>
  z
    .string()
    .max(length)
    .nullish()
    .transform((text) => (text === null || text === '' ? undefined : text))
const role = optionalText(255)

/** What a client may say about a directory. */
type LdapServerBody = Omit<LdapStoreSettings, 'id'> & { readonly id?: string | undefined }

/** A directory as clients write it. Its password is never read back; without one, that of before stays while its user and hosts do. */
export const ldapServerBody: z.ZodType<LdapServerBody> = z.object({
  id: optionalText(100),
  config: z.string().min(1).max(8192),
  hosts: z.array(host).min(1).max(2),
  user: optionalText(1024),
  password: optionalText(1024),
  customAdminRole: role,
  customAssocAdminRole: role,
  customSubadminRole: role,
  customSupportRole: role,
  customDisplayRole: role,
  customMonitoringRole: role,
  disableAdministratorRole: tolerantBoolean.default(false),
})

/** The directory that a client means. `before` is what it replaces. @throws RestError 400 */
export function readServer(body: LdapServerBody, id: string | undefined, before: LdapStoreSettings | undefined): LdapStoreSettings {
  parseSearchRules(body.config)
  return { ...body, id: id ?? randomUUID(), password: body.password ?? keptPassword(body, before) }
}

/** A stored password goes only where whoever knew it has sent it: to the same hosts, in the same way, for the same user. */
function keptPassword(body: LdapServerBody, before: LdapStoreSettings | undefined): string | undefined {
  if (before?.password === undefined || body.user === undefined) return undefined
  if (isDeepStrictEqual([before.user, before.hosts], [body.user, body.hosts])) return before.password
  throw invalidRequest('password: it has to be given again when the user or the hosts of an LDAP server change')
}

/** What holds for all directories together. @throws RestError 400 */
export function requireOrder(stores: readonly LdapStoreSettings[]): readonly LdapStoreSettings[] {
  if (stores.length > maxLdapStores) throw invalidRequest(`there are at most ${maxLdapStores} LDAP servers`)
  if (stores[0]?.disableAdministratorRole === true) throw invalidRequest('the first LDAP server cannot be without administrators')
  return stores
}

/** A directory as it is told: without its password. */
export function renderServer({ password: _password, ...server }: LdapStoreSettings): unknown {
  return server
}
