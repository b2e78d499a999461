/** What a list shows of a destination besides its name and type. */
export interface ListedDestination {
  readonly ProxyType: string
  readonly Authentication: string
  /** Where it leads, as its type writes that; `''` where it does not say. */
  readonly Address: string
}

type Properties = Readonly<Record<string, string>>

/** Each type of destination has properties of its own for the same things. Nothing is checked: what is stored may be incomplete. */
export function listedDestination(properties: Properties): ListedDestination {
  const of = (...names: readonly string[]): string => names.map((name) => properties[name]).find((value) => value) ?? ''
  switch (properties['Type']) {
    case 'RFC':
      return {
        ProxyType: of('jco.destination.proxy_type', 'ProxyType'),
        Authentication: of('jco.destination.auth_type'),
        Address: rfcAddress(of),
      }
    case 'LDAP':
      return { ProxyType: of('ldap.proxyType'), Authentication: of('ldap.authentication'), Address: of('ldap.url') }
    case 'MAIL':
      return { ProxyType: of('ProxyType'), Authentication: of('Authentication'), Address: mailAddress(properties) }
    default:
      return { ProxyType: of('ProxyType'), Authentication: of('Authentication'), Address: of('URL', 'Address') }
  }
}

/** As a mapping of the connector calls it. */
function rfcAddress(of: (...names: readonly string[]) => string): string {
  const [application, message, web] = [of('jco.client.ashost'), of('jco.client.mshost'), of('jco.client.wshost')]
  if (application !== '') return joined(application, withPrefix('sapgw', of('jco.client.sysnr')))
  if (message !== '') return joined(message, of('jco.client.msserv') || withPrefix('sapms', of('jco.client.r3name')))
  return joined(web, of('jco.client.wsport'))
}

/** The protocol it is sent or fetched with, or else the first that has a host. */
function mailAddress(properties: Properties): string {
  const hosts = Object.keys(properties).flatMap((name) => /^mail\.([a-z0-9]+)\.host$/.exec(name)?.[1] ?? [])
  const protocol = [properties['mail.transport.protocol'], properties['mail.store.protocol'], ...hosts].find(
    (name) => name !== undefined && hosts.includes(name),
  )
  if (protocol === undefined) return ''
  return `${protocol}://${joined(properties[`mail.${protocol}.host`] ?? '', properties[`mail.${protocol}.port`] ?? '')}`
}

function withPrefix(prefix: string, value: string): string {
  return value === '' ? '' : `${prefix}${value}`
}

function joined(host: string, port: string): string {
  return port === '' ? host : `${host}:${port}`
}
