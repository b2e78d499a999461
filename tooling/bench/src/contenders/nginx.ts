import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram, freePort } from '@sallyport/real-backends'
import type { Contender, Site } from '../contender.ts'
import { accepting, type Running, type Side, versionOf } from '../processes.ts'

/** Two nginx as HTTP proxies with TLS between them; the cloud side dials. One worker each, no token check and no access list. */
export const nginx: Contender = {
  name: 'nginx',
  carries: ['http'],
  missing: () => (findProgram('nginx') === undefined ? 'nginx is not installed' : undefined),
  // It writes its version to standard error.
  version: () => versionOf('sh', ['-c', `${findProgram('nginx')} -v 2>&1`]),
  async up(site) {
    const front = await freePort()
    const tunnel = await freePort()
    const { server } = site.certificates
    writeFileSync(join(site.folder, 'server.pem'), server.certificate)
    writeFileSync(join(site.folder, 'server.key'), server.key)
    const pool = (port: number): string => `upstream next { server 127.0.0.1:${port}; keepalive 256; keepalive_requests 1000000000; }`
    const forward = 'proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;'
    const connector = startNginx(site, 'connector', [
      pool(site.target),
      `server {
        listen 127.0.0.1:${tunnel} ssl backlog=4096;
        ssl_certificate ${site.folder}/server.pem; ssl_certificate_key ${site.folder}/server.key; ssl_protocols TLSv1.3;
        location / { ${forward} proxy_pass http://next; }
      }`,
    ])
    await accepting(tunnel, connector)
    const cloud = startNginx(site, 'cloud', [
      pool(await site.through(tunnel)),
      `server {
        listen 127.0.0.1:${front} backlog=4096;
        location / { ${forward} proxy_pass https://next; proxy_ssl_protocols TLSv1.3; }
      }`,
    ])
    await accepting(front, cloud)
    return { front, ends: { cloud, connector } }
  },
}

/** Starts nginx in the foreground, with connections that last for the whole measurement. */
export function startNginx(site: Pick<Site, 'folder' | 'start'>, side: Side, blocks: readonly string[], name: string = side): Running {
  const folder = join(site.folder, `nginx-${name}`)
  mkdirSync(folder)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((use) => `${use}_temp_path ${folder}/${use};`)
  const file = join(folder, 'nginx.conf')
  writeFileSync(
    file,
    `daemon off; master_process off; worker_processes 1; pid ${folder}/pid; error_log stderr crit;
    events { worker_connections 20000; }
    http { access_log off; keepalive_requests 1000000000; keepalive_timeout 3600; client_max_body_size 0; ${temporary.join(' ')}
    ${blocks.join('\n')} }`,
  )
  return site.start(side, findProgram('nginx') ?? 'nginx', ['-p', folder, '-c', file, '-e', 'stderr'])
}
