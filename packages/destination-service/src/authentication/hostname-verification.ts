import { isIP } from 'node:net'
import { checkServerIdentity, type PeerCertificate } from 'node:tls'

/**
 * Compares a host with a server certificate as browsers once did: a wildcard covers several labels, and the first common name counts as well as every
 * alternative name. Addresses are compared as ever. Returns the error when nothing matches.
 */
export function checkBrowserCompatible(host: string, certificate: PeerCertificate): Error | undefined {
  const strict = checkServerIdentity(host, certificate)
  if (strict === undefined || isIP(host) !== 0) return strict
  const commonName: unknown = certificate.subject.CN
  const names = [
    ...(certificate.subjectaltname ?? '').split(', ').flatMap((entry) => (entry.startsWith('DNS:') ? [entry.slice(4)] : [])),
    // Several common names come as a list.
    ...[commonName].flat().slice(0, 1),
  ]
  return names.some((name) => typeof name === 'string' && covers(name, host)) ? undefined : strict
}

/** The wildcard must be the whole first label, with two labels at least behind it. */
function covers(pattern: string, host: string): boolean {
  const [name, asked] = [pattern.toLowerCase(), host.toLowerCase().replace(/\.$/, '')]
  if (!name.startsWith('*.')) return name === asked
  const suffix = name.slice(1)
  return suffix.split('.').length > 2 && asked.endsWith(suffix) && asked.length > suffix.length
}
