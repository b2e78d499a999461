/** A cipher suite by the names of the standard (RFC 8446, RFC 5289 and others) and of OpenSSL. */
export interface CipherSuite {
  readonly name: string
  readonly openSslName: string
  /** Kind of key that the certificate needs for it. */
  readonly key: 'any' | 'rsa' | 'ec'
  /** Weak ones lack forward secrecy or authenticated encryption. */
  readonly assessment: 'strong' | 'weak'
}

const strong = (name: string, openSslName: string, key: CipherSuite['key']): CipherSuite => ({
  name,
  openSslName,
  key,
  assessment: 'strong',
})
const weak = (name: string, openSslName: string, key: CipherSuite['key']): CipherSuite => ({ name, openSslName, key, assessment: 'weak' })

/** Every suite that the administration can be reached with, best first. Strong ones are enabled unless others are. */
export const cipherSuites: readonly CipherSuite[] = [
  strong('TLS_AES_256_GCM_SHA384', 'TLS_AES_256_GCM_SHA384', 'any'),
  strong('TLS_CHACHA20_POLY1305_SHA256', 'TLS_CHACHA20_POLY1305_SHA256', 'any'),
  strong('TLS_AES_128_GCM_SHA256', 'TLS_AES_128_GCM_SHA256', 'any'),
  strong('TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384', 'ECDHE-ECDSA-AES256-GCM-SHA384', 'ec'),
  strong('TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384', 'ECDHE-RSA-AES256-GCM-SHA384', 'rsa'),
  strong('TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256', 'ECDHE-ECDSA-CHACHA20-POLY1305', 'ec'),
  strong('TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256', 'ECDHE-RSA-CHACHA20-POLY1305', 'rsa'),
  strong('TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'ECDHE-ECDSA-AES128-GCM-SHA256', 'ec'),
  strong('TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'ECDHE-RSA-AES128-GCM-SHA256', 'rsa'),
  weak('TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384', 'ECDHE-ECDSA-AES256-SHA384', 'ec'),
  weak('TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384', 'ECDHE-RSA-AES256-SHA384', 'rsa'),
  weak('TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256', 'ECDHE-ECDSA-AES128-SHA256', 'ec'),
  weak('TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256', 'ECDHE-RSA-AES128-SHA256', 'rsa'),
  weak('TLS_RSA_WITH_AES_256_GCM_SHA384', 'AES256-GCM-SHA384', 'rsa'),
  weak('TLS_RSA_WITH_AES_128_GCM_SHA256', 'AES128-GCM-SHA256', 'rsa'),
]

/** The suites of these names; the strong ones without names. Names are case-sensitive. */
export function enabledSuites(names: readonly string[] | undefined): readonly CipherSuite[] {
  return cipherSuites.filter(({ assessment, name }) => (names === undefined ? assessment === 'strong' : names.includes(name)))
}

/** Whether a server with a key of that kind can use the suite. */
export function isUsableWith({ key }: CipherSuite, keyType: string | undefined): boolean {
  return key === 'any' || key === (keyType === 'rsa' || keyType === 'rsa-pss' ? 'rsa' : 'ec')
}
