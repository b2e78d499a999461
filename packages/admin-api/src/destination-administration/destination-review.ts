import { closestName } from '../closest-name.ts'

/** Something that whoever edits a destination should know before it is stored. The service stores it all the same. */
export interface DestinationRemark {
  /** `error`: it cannot work like this. */
  readonly severity: 'error' | 'warning'
  readonly property: string
  readonly message: string
}

/**
 * Looks through a destination for what cannot work, and for what works and is no good idea. The service itself is as tolerant as the original; editors and
 * the command line ask here.
 */
export function reviewDestination(properties: Readonly<Record<string, string>>): readonly DestinationRemark[] {
  const remarks: DestinationRemark[] = []
  const remark = (severity: DestinationRemark['severity'], property: string, message: string): void =>
    void remarks.push({ severity, property, message })
  const url = properties['URL']
  if (properties['Type'] === 'HTTP' && !isHttpUrl(url)) {
    remark('error', 'URL', url === undefined ? 'the URL of the target is missing' : `"${shown(url)}" is not an absolute http or https URL`)
  }
  const tokenUrl = properties['tokenServiceURL']
  if (tokenUrl !== undefined && !isHttpUrl(tokenUrl.replaceAll('{tenant}', 'tenant'))) {
    remark('error', 'tokenServiceURL', `"${shown(tokenUrl)}" is not an absolute http or https URL`)
  }
  const address = properties['Address']
  if (properties['Type'] === 'TCP' && !/^(?:tcp:\/\/)?[^\s/:]+:\d{1,5}$|^(?:tcp:\/\/)?\[[0-9a-f:.]+\]:\d{1,5}$/i.test(address ?? '')) {
    remark('error', 'Address', address === undefined ? 'the address of the target is missing' : `"${shown(address)}" is not host:port`)
  }
  const proxyType = properties['ProxyType']
  if (proxyType !== undefined && !proxyTypes.includes(proxyType)) remark('error', 'ProxyType', `must be one of ${proxyTypes.join(', ')}`)
  const authentication = properties['Authentication'] ?? ''
  if (properties['Type'] === 'HTTP' && authentication !== '' && !authenticationTypes.includes(authentication)) {
    const meant = closestName(authentication, authenticationTypes)
    const question = meant === undefined ? `there are ${authenticationTypes.join(', ')}` : `did you mean ${meant}?`
    remark('error', 'Authentication', `there is no authentication type "${authentication.slice(0, 200)}"; ${question}`)
  } else if (authentication.startsWith('OAuth2') && tokenUrl === undefined) {
    remark('error', 'tokenServiceURL', `the Authentication ${authentication} needs the address of a token service`)
  }
  if (isHttpUrl(url) && url?.startsWith('http:') === true && proxyType !== 'OnPremise' && (properties['Password'] ?? '') !== '') {
    remark('warning', 'URL', 'the password is sent unprotected; use https')
  }
  if (authentication === 'OAuth2Password')
    remark('warning', 'Authentication', 'use the credentials of a technical user, never those of a person')
  if (authentication === 'SAPAssertionSSO') remark('warning', 'Authentication', 'deprecated; use PrincipalPropagation or a SAML type')
  if (properties['SystemUser'] !== undefined) remark('warning', 'SystemUser', 'deprecated; every user then acts as this one')
  if (properties['TrustAll']?.toLowerCase() === 'true') remark('warning', 'TrustAll', 'accepts every server certificate; for tests only')
  return remarks
}

/** Of destinations of the type HTTP. */
const authenticationTypes: readonly string[] = [
  'NoAuthentication',
  'BasicAuthentication',
  'ClientCertificateAuthentication',
  'PrincipalPropagation',
  'OAuth2AuthorizationCode',
  'OAuth2ClientCredentials',
  'OAuth2JWTBearer',
  'OAuth2Password',
  'OAuth2RefreshToken',
  'OAuth2SAMLBearerAssertion',
  'OAuth2TechnicalUserPropagation',
  'OAuth2TokenExchange',
  'OAuth2UserTokenExchange',
  'SAMLAssertion',
  'SAPAssertionSSO',
]

const proxyTypes: readonly string[] = ['Internet', 'OnPremise', 'PrivateLink']

function isHttpUrl(text: string | undefined): boolean {
  return /^https?:$/.test(URL.parse(text ?? '')?.protocol ?? '')
}

/** A URL may carry a password. */
function shown(text: string): string {
  return text.replace(/\/\/[^/@]*@/, '//…@').slice(0, 200)
}
