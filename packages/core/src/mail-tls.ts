import { mailKey, mailProperty, type MailScheme } from './mail-protocol.ts'
import { type InvalidProperty, type Properties, readBoolean } from './property-values.ts'

/** When TLS begins. `startTlsIfOffered` goes on in plain where the server offers none; `startTls` fails there before anybody logs on. */
export type MailTlsMode = 'none' | 'implicit' | 'startTls' | 'startTlsIfOffered'

/** What a TLS peer has to prove; everything is asked for unless a destination says otherwise. */
export interface TlsRules {
  /** Whether the certificate has to come from an authority that is trusted. */
  readonly checkAuthority: boolean
  /** Whether the certificate has to carry the name of the host. */
  readonly checkName: boolean
  /** Names that are as good as that of the host. */
  readonly acceptedNames: readonly string[]
  readonly minVersion: TlsVersion
  readonly maxVersion: TlsVersion
}

/** What is still considered safe. */
export type TlsVersion = 'TLSv1.2' | 'TLSv1.3'

/** Nothing is waived. */
export const strictTlsRules: TlsRules = {
  checkAuthority: true,
  checkName: true,
  acceptedNames: [],
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
}

/** Reads `starttls.enable`, `starttls.required` and `ssl.enable`. */
export function readMailTlsMode(properties: Properties, scheme: MailScheme, invalid: InvalidProperty): MailTlsMode {
  const flag = (word: string): boolean => readBoolean(properties, mailKey(properties, scheme, word), invalid) ?? false
  const required = flag('starttls.required')
  const enabled = flag('starttls.enable')
  // Secured from the first byte, there is nothing left to upgrade.
  if (flag('ssl.enable') || scheme.implicitTls) return 'implicit'
  if (required) return 'startTls'
  if (enabled) return 'startTlsIfOffered'
  // On-premise the tunnel is the protection and certificates rarely carry virtual names; POP3 clients do not upgrade unasked.
  return properties['ProxyType'] === 'OnPremise' || scheme.protocol === 'pop3' ? 'none' : 'startTlsIfOffered'
}

/** Reads `ssl.trust`, `ssl.checkserveridentity` and `ssl.protocols`. */
export function readMailTlsRules(properties: Properties, scheme: MailScheme, invalid: InvalidProperty): TlsRules {
  const trust = words(mailProperty(properties, scheme, 'ssl.trust'))
  const trustAll = trust.includes('*')
  return {
    checkAuthority: !trustAll,
    checkName: !trustAll && (readBoolean(properties, mailKey(properties, scheme, 'ssl.checkserveridentity'), invalid) ?? true),
    acceptedNames: trust.filter((name) => name !== '*'),
    ...readVersions(properties, scheme, invalid),
  }
}

function readVersions(properties: Properties, scheme: MailScheme, invalid: InvalidProperty): Pick<TlsRules, 'minVersion' | 'maxVersion'> {
  const { minVersion, maxVersion } = strictTlsRules
  const named = words(mailProperty(properties, scheme, 'ssl.protocols'))
  if (named.length === 0) return { minVersion, maxVersion }
  // Lists of the JavaMail age name versions that nobody should speak any more; the others in the list count.
  const has2 = named.includes('TLSv1.2')
  const has3 = named.includes('TLSv1.3')
  if (!has2 && !has3) throw invalid(`${mailKey(properties, scheme, 'ssl.protocols')} has neither TLSv1.2 nor TLSv1.3`)
  return { minVersion: has2 ? 'TLSv1.2' : 'TLSv1.3', maxVersion: has3 ? 'TLSv1.3' : 'TLSv1.2' }
}

/** JavaMail separates by white space; people by commas too. */
export function words(text: string | undefined): readonly string[] {
  return (text ?? '').split(/[\s,]+/).filter((word) => word !== '')
}
