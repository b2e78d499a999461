import { isThumbprint } from './client-certificate.ts'
import { isClientSecretHash } from './client-secret.ts'
import {
  maxAccessTokenSeconds,
  maxAttributesPerUser,
  maxGroupsPerUser,
  maxNameLength,
  maxPasswordLength,
  maxRedirectPatterns,
  maxScopeLength,
  maxScopes,
  minAccessTokenSeconds,
  minClientSecretLength,
} from './limits.ts'
import { grantTypes } from './oauth-client.ts'
import { isPasswordHash } from './password-hash.ts'
import { redirectPatternProblem } from './redirect-pattern.ts'
import type { ClientConfiguration, StaticDirectoryConfiguration, UserConfiguration } from './static-directory.ts'

type Report = (path: string, problem: string) => void

/** Everything that is wrong with a configuration, each with its path. No problem repeats a secret. */
export function staticDirectoryProblems(configuration: StaticDirectoryConfiguration): string[] {
  const problems: string[] = []
  const report: Report = (path, problem) => problems.push(`${path} ${problem}`)
  const { tenants, clients, users } = configuration
  const tenantIds = new Set(tenants.map(({ id }) => id))

  tenants.forEach((tenant, at) => {
    checkName(`tenants[${at}].id`, tenant.id, report)
    const subdomain = (tenant.subdomain ?? tenant.id).toLowerCase()
    if (!/^[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?$/.test(subdomain)) report(`tenants[${at}].subdomain`, 'is not one label of a host name')
  })
  duplicates(tenants, ({ id }) => id, 'tenants', 'id', report)
  duplicates(tenants, ({ id, subdomain }) => (subdomain ?? id).toLowerCase(), 'tenants', 'subdomain', report)

  clients.forEach((client, at) => checkClient(`clients[${at}]`, client, tenantIds, report))
  duplicates(clients, ({ id }) => id, 'clients', 'id', report)

  users.forEach((user, at) => checkUser(`users[${at}]`, user, tenantIds, report))
  duplicates(users, ({ tenant, name }) => `${tenant}\n${name.toLowerCase()}`, 'users', 'name', report)
  duplicates(
    users.filter(({ id }) => id !== undefined),
    ({ tenant, id }) => `${tenant}\n${id ?? ''}`,
    'users',
    'id',
    report,
  )
  return problems
}

function checkClient(path: string, client: ClientConfiguration, tenantIds: ReadonlySet<string>, report: Report): void {
  checkName(`${path}.id`, client.id, report)
  if (client.id.includes(':')) report(`${path}.id`, 'holds a colon, which ends the id in Basic credentials')
  if (!tenantIds.has(client.tenant)) report(`${path}.tenant`, 'names no tenant')
  client.subscribedTenants?.forEach((tenant, at) => {
    if (!tenantIds.has(tenant)) report(`${path}.subscribedTenants[${at}]`, 'names no tenant')
  })
  client.secrets?.forEach((secret, at) => {
    if (secret.reveal().length < minClientSecretLength) {
      report(
        `${path}.secrets[${at}]`,
        `is shorter than ${minClientSecretLength} characters; secrets have to be generated, because they are hashed fast`,
      )
    }
  })
  client.secretHashes?.forEach((hash, at) => {
    if (!isClientSecretHash(hash)) report(`${path}.secretHashes[${at}]`, 'is not "sha256:" and 43 characters of Base64url')
  })
  client.certificates?.forEach((rule, at) => {
    if ('thumbprintSha256' in rule) {
      if (!isThumbprint(rule.thumbprintSha256)) report(`${path}.certificates[${at}].thumbprintSha256`, 'is not 64 hexadecimal digits')
    } else if (rule.subject.trim() === '' || rule.issuer.trim() === '') report(`${path}.certificates[${at}]`, 'needs subject and issuer')
  })
  client.grantTypes?.forEach((grantType, at) => {
    if (!grantTypes.includes(grantType)) report(`${path}.grantTypes[${at}]`, `is not one of ${grantTypes.join(', ')}`)
  })
  const scopes = [...(client.authorities ?? []), ...(client.scopes ?? []).map(({ name }) => name)]
  if (scopes.length > maxScopes) report(`${path}.scopes`, `are more than ${maxScopes} together with the authorities`)
  // RFC 6749 §3.3, so that a list separated by spaces can be taken apart again.
  if (scopes.some((scope) => !/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope) || scope.length > maxScopeLength)) {
    report(`${path}.scopes`, `or authorities hold white space, a quote or more than ${maxScopeLength} characters`)
  }
  if ((client.redirectUris?.length ?? 0) > maxRedirectPatterns) report(`${path}.redirectUris`, `are more than ${maxRedirectPatterns}`)
  client.redirectUris?.forEach((pattern, at) => {
    const problem = redirectPatternProblem(pattern)
    if (problem !== undefined) report(`${path}.redirectUris[${at}]`, problem)
  })
  const seconds = client.accessTokenSeconds
  if (seconds !== undefined && !(Number.isInteger(seconds) && seconds >= minAccessTokenSeconds && seconds <= maxAccessTokenSeconds)) {
    report(`${path}.accessTokenSeconds`, `is not between ${minAccessTokenSeconds} and ${maxAccessTokenSeconds}`)
  }
}

function checkUser(path: string, user: UserConfiguration, tenantIds: ReadonlySet<string>, report: Report): void {
  checkName(`${path}.name`, user.name, report)
  if (!tenantIds.has(user.tenant)) report(`${path}.tenant`, 'names no tenant')
  if (user.password !== undefined && user.passwordHash !== undefined) report(path, 'has both password and passwordHash')
  const password = user.password?.reveal()
  if (password !== undefined && (password === '' || password.length > maxPasswordLength)) {
    report(`${path}.password`, `is empty or longer than ${maxPasswordLength} characters`)
  }
  if (user.passwordHash !== undefined && !isPasswordHash(user.passwordHash)) report(`${path}.passwordHash`, 'is not a hash of ours')
  if ((user.groups?.length ?? 0) > maxGroupsPerUser) report(`${path}.groups`, `are more than ${maxGroupsPerUser}`)
  if (Object.keys(user.attributes ?? {}).length > maxAttributesPerUser)
    report(`${path}.attributes`, `are more than ${maxAttributesPerUser}`)
  const texts = [
    user.email,
    user.givenName,
    user.familyName,
    user.origin,
    user.id,
    ...(user.groups ?? []),
    ...Object.values(user.attributes ?? {}).flat(),
  ]
  if (texts.some((text) => text !== undefined && text.length > maxNameLength))
    report(path, `holds a text of more than ${maxNameLength} characters`)
}

function checkName(path: string, name: string, report: Report): void {
  if (name.trim() === '' || name !== name.trim()) report(path, 'is empty or begins or ends with white space')
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (name.length > maxNameLength || /[\x00-\x1f\x7f]/.test(name))
    report(path, `is longer than ${maxNameLength} characters or holds a control character`)
}

function duplicates<T>(entries: readonly T[], keyOf: (entry: T) => string, path: string, property: string, report: Report): void {
  const seen = new Set<string>()
  entries.forEach((entry, at) => {
    const key = keyOf(entry)
    if (seen.has(key)) report(`${path}[${at}].${property}`, 'is there twice')
    seen.add(key)
  })
}
