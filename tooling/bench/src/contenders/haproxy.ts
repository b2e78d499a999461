import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram, freePort } from '@sallyport/real-backends'
import type { Carries, Contender } from '../contender.ts'
import { accepting, versionOf } from '../processes.ts'

/** Two HAProxy with TLS between them, one connection per stream; the cloud side dials. One thread each. */
export const haproxy: Contender = {
  name: 'haproxy',
  carries: ['tcp', 'http'],
  missing: () => (findProgram('haproxy') === undefined ? 'haproxy is not installed' : undefined),
  version: () => versionOf(findProgram('haproxy') ?? 'haproxy', ['-v']),
  async up(site, carries) {
    const program = findProgram('haproxy') ?? 'haproxy'
    const front = await freePort()
    const tunnel = await freePort()
    const { server } = site.certificates
    const identity = join(site.folder, 'identity.pem')
    writeFileSync(identity, server.certificate + server.key)

    const connectorFile = join(site.folder, 'connector.cfg')
    const near = `bind 127.0.0.1:${tunnel} ssl crt ${identity}\n  server next 127.0.0.1:${site.target}`
    writeFileSync(connectorFile, configuration(carries, near))
    const connector = site.start('connector', program, ['-db', '-f', connectorFile])
    await accepting(tunnel, connector)

    const cloudFile = join(site.folder, 'cloud.cfg')
    const far = `bind 127.0.0.1:${front}\n  server next 127.0.0.1:${await site.through(tunnel)} ssl verify none`
    writeFileSync(cloudFile, configuration(carries, far))
    const cloud = site.start('cloud', program, ['-db', '-f', cloudFile])
    await accepting(front, cloud)
    return { front, ends: { cloud, connector } }
  },
}

function configuration(carries: Carries, hop: string): string {
  return `global
  nbthread 1
  maxconn 4000
  ssl-default-bind-options ssl-min-ver TLSv1.3
  ssl-default-server-options ssl-min-ver TLSv1.3
defaults
  mode ${carries}
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  ${carries === 'tcp' ? 'option splice-auto' : 'http-reuse always'}
listen hop
  ${hop}
`
}
