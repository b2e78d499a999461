/**
 * Starts the distribution's own servers in the foreground, with a private configuration on a port of the loopback interface, for `real` suites.
 *
 * @example
 * describe.skipIf(skipUnless('nginx'))('against nginx', () => {
 *   it('answers', async () => {
 *     await using nginx = await startNginx({ configuration: ({ port }) => `server { listen 127.0.0.1:${port}; return 200 "hello"; }` })
 *     const answer = await fetch(`http://127.0.0.1:${nginx.port}/`)
 *   })
 * })
 *
 * @packageDocumentation
 */
export { type Dovecot, type DovecotOptions, startDovecot } from './dovecot.ts'
export { type DovecotWithTokens, startDovecotWithTokens } from './dovecot-with-tokens.ts'
export { type Exim, type EximOptions, startExim } from './exim.ts'
export { type ForegroundProgram, startForeground } from './foreground.ts'
export { freePort } from './free-port.ts'
export { type Httpd, type HttpdOptions, startHttpd } from './httpd.ts'
export { type Kdc, type KdcOptions, startKdc } from './kdc.ts'
export { startKerberosBackend } from './kerberos-backend.ts'
export { skipWithoutKerberosPeer } from './kerberos-peer.ts'
export type { Maildir } from './maildir.ts'
export { type Nginx, type NginxOptions, startNginx } from './nginx.ts'
export { type Postfix, type PostfixOptions, startPostfix } from './postfix.ts'
export { type Postgres, type PostgresOptions, startPostgres } from './postgres.ts'
export { installPythonPackage, type PythonPackage } from './python-package.ts'
export { findProgram, skipUnless, skipUnlessRoot } from './programs.ts'
export { type Slapd, type SlapdOptions, startSlapd } from './slapd.ts'
export { startTokenIntrospection, type TokenIntrospection } from './token-introspection.ts'
export { skipWithoutVault, startVault, type Vault } from './vault.ts'
