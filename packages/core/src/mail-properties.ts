import type { InvalidProperty, Properties } from './property-values.ts'

/** What a destination of any type has, and what its token flows read; everything else of MAIL begins with `mail.`. */
const names: ReadonlySet<string> = new Set([
  'Name',
  'Type',
  'Description',
  'ProxyType',
  'Authentication',
  'CloudConnectorLocationId',
  'FragmentName',
  'User',
  'Password',
  'SystemUser',
  'clientId',
  'clientSecret',
  'clientKey',
  'scope',
  'audience',
  'authnContextClassRef',
  'SAMLAssertionProvider',
  'nameIdFormat',
  'nameQualifier',
  'userIdSource',
  'assertionIssuer',
  'assertionRecipient',
  'samlAssertionEncoding',
  'companyId',
  'apiKey',
])
const beginnings =
  /^(?:mail\.|tokenService|KeyStore|TrustStore|clientAssertion\.|x_user_token\.|skipUser|includeSigning|\$metadata|x-|sap-)/

/** Refuses a key that belongs to another type, or to none: nobody would read it, and whoever wrote it believes somebody does. */
export function expectMailProperties(properties: Properties, invalid: InvalidProperty): void {
  const strange = Object.keys(properties).find((key) => !names.has(key) && !beginnings.test(key))
  if (strange !== undefined) throw invalid(`property "${strange.slice(0, 100)}" has no meaning for MAIL; additional ones begin with mail.`)
}
