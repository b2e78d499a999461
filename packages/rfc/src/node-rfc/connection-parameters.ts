import type { Credentials, RfcDestination } from '@sallyport/core'

/** Properties that the SDK knows under another name and reads by itself (protocols.md 9.1). */
const passedOn: readonly (readonly [property: string, parameter: string])[] = [
  ['jco.client.mysapsso2', 'mysapsso2'],
  ['jco.client.x509cert', 'x509cert'],
  ['jco.client.extid_type', 'extidtype'],
  ['jco.client.extid_data', 'extiddata'],
  ['jco.client.tls_client_certificate_logon', 'tls_client_certificate_logon'],
  ['jco.client.tls_client_pse', 'tls_client_pse'],
  ['jco.client.tls_trust_all', 'tls_trust_all'],
  ['jco.client.snc_mode', 'snc_mode'],
  ['jco.client.snc_partnername', 'snc_partnername'],
  ['jco.client.snc_myname', 'snc_myname'],
  ['jco.client.snc_qop', 'snc_qop'],
  ['jco.client.snc_lib', 'snc_lib'],
  ['jco.client.snc_sso', 'snc_sso'],
  ['jco.client.trace', 'trace'],
  ['jco.client.codepage', 'codepage'],
  ['jco.client.delta', 'delta'],
  ['jco.client.serialization_format', 'serialization_format'],
]

/** Where the SDK connects to, where it dials by itself. */
const dialledBySdk: readonly (readonly [property: string, parameter: string])[] = [
  ['jco.client.gwhost', 'gwhost'],
  ['jco.client.gwserv', 'gwserv'],
  ['jco.client.saprouter', 'saprouter'],
]

/** Who logs on, and how: everything but the way to the system. */
export function logonParameters({ logon, properties }: RfcDestination, credentials: Credentials): Record<string, string> {
  return {
    ...(logon.client === undefined ? {} : { client: logon.client }),
    ...userParameters(logon.aliasUser, credentials),
    ...(logon.language === undefined ? {} : { lang: logon.language }),
    ...given(properties, passedOn),
  }
}

function userParameters(aliasUser: string | undefined, credentials: Credentials): Record<string, string> {
  if (credentials.kind !== 'basic') return {}
  const name = credentials.user === aliasUser ? 'alias_user' : 'user'
  return { [name]: credentials.user, passwd: credentials.password.reveal() }
}

/** The server as the destination names it, for connections that the SDK opens by itself. */
export function directParameters({ server, properties }: RfcDestination): Record<string, string> {
  const own = given(properties, dialledBySdk)
  switch (server.kind) {
    case 'application-server':
      return { ashost: server.host, sysnr: server.systemNumber, ...own }
    case 'message-server':
      return {
        mshost: server.host,
        group: server.group,
        ...(server.systemId === undefined ? { msserv: server.service } : { r3name: server.systemId }),
        ...own,
      }
    case 'websocket':
      return { wshost: server.host, wsport: String(server.port), use_tls: '1' }
  }
}

function given(properties: Readonly<Record<string, string>>, names: readonly (readonly [string, string])[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap(([property, parameter]) => {
      const value = Object.hasOwn(properties, property) ? properties[property] : undefined
      return value === undefined || value === '' ? [] : [[parameter, value]]
    }),
  )
}
