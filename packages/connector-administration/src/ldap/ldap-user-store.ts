import type { Role } from '../access/roles.ts'
import type { KnownUser } from '../access/user-store.ts'
import { maxLdapGroups } from '../limits.ts'
import { connectLdap, type Found, isPasswordRight, type LdapConnection, type LdapConnectOptions } from './ldap-connection.ts'
import type { LdapStoreSettings, LdapTrust } from './ldap-store-settings.ts'
import { escapeFilterValue, escapeNameAsHexadecimal } from './ldap-text.ts'
import { parseSearchRules, type SearchRules } from './search-rules.ts'

/** What one directory says about a user. `refused`: no other directory may be asked, because it is not clear who he is. */
export type LdapAnswer = { readonly kind: 'known'; readonly user: KnownUser } | { readonly kind: 'unknown' } | { readonly kind: 'refused' }

/** One directory. */
export interface LdapUserStore {
  /** @throws ConnectivityError when it cannot be asked. */
  logOn(name: string, password: string): Promise<LdapAnswer>
  find(name: string): Promise<LdapAnswer>
  /** Connects as the user that searches. @throws ConnectivityError when that fails. */
  reach(): Promise<void>
}

/** Opens nothing; every question has connections of its own. `note` hears what is asked and answered, but no password. */
export function createLdapUserStore(
  settings: LdapStoreSettings,
  { note = () => {}, trust }: { readonly trust: LdapTrust; readonly note?: (line: string) => void },
): LdapUserStore {
  const rules = parseSearchRules(settings.config)
  const options: LdapConnectOptions = { trust, timeoutMs: rules.connectionTimeoutMs, note }

  const ask = async (name: string, isRight: (dn: string) => Promise<boolean>): Promise<LdapAnswer> => {
    await using connection = await connectLdap(settings, options)
    const found = await findUser(connection, rules, name)
    if (found === undefined) {
      note('more than one entry is found, so the log-on fails')
      return { kind: 'refused' }
    }
    const [user] = found
    if (user === undefined || !(await isRight(user.dn))) return { kind: 'unknown' }
    const names = await findRoles(connection, rules, name, user)
    const roles = names === undefined ? [] : readRoles(names, settings)
    note(`names of roles: ${names?.join(', ') ?? 'too many'}; roles: ${roles.join(', ') || 'none'}`)
    return names === undefined ? { kind: 'refused' } : { kind: 'known', user: { name, roles } }
  }

  return {
    logOn: (name, password) =>
      ask(name, async (dn) => {
        const right = await isPasswordRight(settings.hosts, dn, password, options)
        note(`the password of "${dn}" is ${right ? 'right' : 'wrong'}`)
        return right
      }),
    find: (name) => ask(name, async () => true),
    async reach() {
      const connection = await connectLdap(settings, options)
      await connection[Symbol.asyncDispose]()
    },
  }
}

function findUser(connection: LdapConnection, rules: SearchRules, name: string): Promise<readonly Found[] | undefined> {
  return connection.search(rules.userBase, {
    filter: fill(rules.userSearch, escapeFilterValue(name), ''),
    subtree: rules.userSubtree,
    attributes: [rules.userRoleName ?? '1.1'],
    limit: 1,
    ignoreReferences: rules.adCompat,
  })
}

/** Values of the user's own attribute, and names of groups; `undefined` when there are too many. */
async function findRoles(
  connection: LdapConnection,
  { adCompat, forceDnHexEscape, roleBase, roleName, roleSearch, roleSubtree, userRoleName }: SearchRules,
  name: string,
  { attributes, dn }: Found,
): Promise<readonly string[] | undefined> {
  const own = userRoleName === undefined ? [] : (attributes[userRoleName] ?? [])
  if (roleSearch === undefined || roleName === undefined) return own
  const written = forceDnHexEscape ? escapeNameAsHexadecimal(dn) : dn
  const groups = await connection.search(roleBase ?? '', {
    filter: fill(roleSearch, escapeFilterValue(written), escapeFilterValue(name)),
    subtree: roleSubtree,
    attributes: [roleName],
    limit: maxLdapGroups,
    ignoreReferences: adCompat,
  })
  return groups && [...own, ...groups.flatMap((group) => group.attributes[roleName] ?? [])]
}

function fill(filter: string, zero: string, one: string): string {
  return filter.replaceAll(/\{([01])\}/g, (_place, digit) => (digit === '0' ? zero : one))
}

/** A custom name takes the place of the usual ones. */
function readRoles(names: readonly string[], settings: LdapStoreSettings): readonly Role[] {
  const isNamed = (custom: string | undefined, ...usual: readonly string[]): boolean =>
    custom === undefined || custom === '' ? usual.some((name) => names.includes(name)) : names.includes(custom)
  const held: readonly (readonly [Role, boolean])[] = [
    ['sccadmin', !settings.disableAdministratorRole && isNamed(settings.customAdminRole, 'sccadmin', 'admin')],
    ['sccassocadmin', isNamed(settings.customAssocAdminRole, 'sccassocadmin')],
    ['sccsubadmin', isNamed(settings.customSubadminRole, 'sccsubadmin')],
    ['sccsupport', isNamed(settings.customSupportRole, 'sccsupport')],
    ['sccdisplay', isNamed(settings.customDisplayRole, 'sccdisplay')],
    ['sccmonitoring', isNamed(settings.customMonitoringRole, 'sccmonitoring')],
  ]
  return held.filter(([, has]) => has).map(([role]) => role)
}
