import type { KerberosEncryption, KerberosSettings } from '@sallyport/admin-api'

/** Where a KDC listens unless a port is written (RFC 4120, 7.2.1). */
const defaultKdcPort = 88

const encryptionNames: Readonly<Record<KerberosEncryption, string>> = {
  AES256_CTS_HMAC_SHA1_96: 'aes256-cts-hmac-sha1-96',
  RC4_HMAC: 'arcfour-hmac',
}

/**
 * What MIT Kerberos reads instead of the machine's `krb5.conf`: one realm with these hosts, and nothing from DNS, so that nobody on the network decides whom the
 * service user logs on to or which backend a ticket is for. Values come from the checked settings and cannot end a line.
 */
export function formatKrb5Configuration({ encryptionTypes, kdcHosts, realm }: KerberosSettings): string {
  const encryptions = encryptionTypes.map((type) => encryptionNames[type]).join(' ')
  return [
    '[libdefaults]',
    `  default_realm = ${realm}`,
    '  dns_lookup_kdc = false',
    '  dns_lookup_realm = false',
    '  dns_canonicalize_hostname = false',
    '  rdns = false',
    '  qualify_shortname = ""',
    // Tickets on behalf of others are only given to who may pass tickets on.
    '  forwardable = true',
    // Answers with the group memberships of Active Directory do not fit into a datagram.
    '  udp_preference_limit = 1',
    `  permitted_enctypes = ${encryptions}`,
    ...(encryptionTypes.includes('RC4_HMAC') ? ['  allow_rc4 = true'] : []),
    '[realms]',
    `  ${realm} = {`,
    ...kdcHosts.map((host) => `    kdc = ${withPort(host)}`),
    '  }',
    '',
  ].join('\n')
}

function withPort(host: string): string {
  return /:\d+$/.test(host.replace(/^\[.*\]/, '')) ? host : `${host}:${defaultKdcPort}`
}
