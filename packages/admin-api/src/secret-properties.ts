/** Properties that are credentials by the original's documentation; what `$skipCredentials` leaves out. */
const credentialProperties: ReadonlySet<string> = new Set([
  'Password',
  'clientSecret',
  'tokenServicePassword',
  'KeyStorePassword',
  'TrustStorePassword',
  'tokenService.KeyStorePassword',
  'mail.password',
  'ldap.password',
  'jco.client.passwd',
  'jco.client.tech_user_secret',
  'jco.destination.repository.passwd',
])

/** `clientKey` is missing from the original's exports, so it counts as one; properties that nobody here knows count by how their names end. */
const secretEnding = /(?:password|passwd|secret|clientkey|apikey|api_key|private_?key)$/i

/** Properties that carry whole headers, queries or form fields: the last word of the name says what they hold. */
const carriedSecret = /^(?:URL|tokenServiceURL)\.(?:headers|queries)\.|^tokenService\.body\./
const carriedName = /(?:authorization|cookie|token|assertion|credentials?)$/i

/**
 * Whether the value of a destination's property is shown to nobody who has not asked for it: exports leave it out, command line and console hide it. Rather
 * one property too many than one too few; names alone decide, so that the answer is the same everywhere.
 */
export function isSecretProperty(name: string): boolean {
  if (credentialProperties.has(name) || secretEnding.test(name)) return true
  return carriedSecret.test(name) && carriedName.test(name)
}
