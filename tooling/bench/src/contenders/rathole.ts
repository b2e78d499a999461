import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '@sallyport/real-backends'
import type { Contender } from '../contender.ts'
import { accepting, versionOf } from '../processes.ts'

/** rathole (Rust) with TLS: a pool of connections that the connector dials, one per stream. */
export function createRathole(program: string | undefined): Contender {
  return {
    name: 'rathole',
    carries: ['tcp'],
    missing: () => (program === undefined ? 'give its path with --rathole' : existsSync(program) ? undefined : `${program} is not there`),
    version: () => versionOf('sh', ['-c', `${program} --version | grep -m 1 'Build Version' | tr -s ' '`]),
    async up(site) {
      if (program === undefined) throw new Error('rathole is not there')
      const front = await freePort()
      const tunnel = await freePort()
      const file = (name: string): string => join(site.folder, name)
      const { authority, server } = site.certificates
      writeFileSync(file('ca.pem'), authority)
      writeFileSync(file('server.pem'), server.certificate)
      writeFileSync(file('server.key'), server.key)
      // The library it uses knows the older encryption of these files only.
      const form = ['-legacy', '-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'SHA1', '-passout', 'pass:bench']
      execFileSync('openssl', [
        'pkcs12',
        '-export',
        ...form,
        '-in',
        file('server.pem'),
        '-inkey',
        file('server.key'),
        '-out',
        file('server.p12'),
      ])

      writeFileSync(
        file('server.toml'),
        `[server]
bind_addr = "127.0.0.1:${tunnel}"
[server.transport]
type = "tls"
[server.transport.tls]
pkcs12 = "${file('server.p12')}"
pkcs12_password = "bench"
[server.services.bench]
token = "bench"
bind_addr = "127.0.0.1:${front}"
nodelay = true
`,
      )
      const cloud = site.start('cloud', program, ['--server', file('server.toml')], { RUST_LOG: 'error' })
      await accepting(tunnel, cloud)
      writeFileSync(
        file('client.toml'),
        `[client]
remote_addr = "127.0.0.1:${await site.through(tunnel)}"
[client.transport]
type = "tls"
[client.transport.tls]
trusted_root = "${file('ca.pem')}"
hostname = "localhost"
[client.services.bench]
token = "bench"
local_addr = "127.0.0.1:${site.target}"
nodelay = true
`,
      )
      const connector = site.start('connector', program, ['--client', file('client.toml')], { RUST_LOG: 'error' })
      await accepting(front, connector)
      return { front, ends: { cloud, connector } }
    },
  }
}
