import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createSecret, type HttpDestination, parseDestination, silentLogger, systemClock } from '@sallyport/core'
import { createDirectDial } from '@sallyport/dial'
import { skipUnless, startNginx } from '@sallyport/real-backends'
import { createTestCa } from '@sallyport/test-fixtures'
import { describe, expect, it } from 'vitest'
import { createHttpAdapter } from '../src/index.ts'

describe.skipIf(skipUnless('nginx'))('against nginx', () => {
  it('speaks https with a client certificate, streams bodies both ways and keeps connections', async () => {
    const ca = createTestCa()
    const server = ca.issue({ subject: '/CN=localhost' })
    const own = ca.issue({ subject: '/CN=the-client' })
    await using nginx = await startNginx({
      configuration({ port, folder }) {
        writeFileSync(join(folder, 'ca.pem'), ca.certificate)
        writeFileSync(join(folder, 'server.pem'), server.certificate)
        writeFileSync(join(folder, 'server.key'), server.key)
        writeFileSync(join(folder, 'big.bin'), Buffer.alloc(5_000_000, 7))
        return `server {
          listen 127.0.0.1:${port} ssl;
          ssl_certificate ${folder}/server.pem; ssl_certificate_key ${folder}/server.key;
          ssl_client_certificate ${folder}/ca.pem; ssl_verify_client on;
          client_max_body_size 20m;
          location = /who { return 200 "$ssl_client_s_dn $connection $connection_requests $http_apikey $is_args$args"; }
          location = /upload { dav_methods PUT; alias ${folder}/upload.bin; }
          location = /big.bin { root ${folder}; }
          location = /gone { return 404; }
        }`
      },
    })
    const destination = parseDestination({
      Name: 'NGINX',
      Type: 'HTTP',
      URL: `https://localhost:${nginx.port}`,
      'URL.headers.apikey': 'k',
      'URL.queries.q': '1',
    }) as HttpDestination
    await using client = await createHttpAdapter({
      clock: systemClock,
      tls: { ca: [ca.certificate], certificate: own.certificate, key: createSecret(own.key) },
    }).connect(destination, {
      dial: createDirectDial(),
      credentials: { kind: 'none' },
      signal: AbortSignal.timeout(10_000),
      log: silentLogger,
    })

    const answers = [await (await client.request('/who')).text(), await (await client.request('/who')).text()]
    expect(answers[0]).toMatch(/^CN=the-client \d+ \d+ k \?q=1$/)
    const [first, second] = answers.map((answer) => answer.split(' '))
    expect([second?.[1], Number(second?.[2])]).toEqual([first?.[1], Number(first?.[2]) + 1])

    await client.ping(AbortSignal.timeout(5000))
    const big = await client.request('/big.bin')
    expect((await big.arrayBuffer()).byteLength).toBe(5_000_000)
    expect((await client.request('/gone')).status).toBe(404)

    async function* parts(): AsyncGenerator<Buffer> {
      for (let count = 0; count < 50; count++) yield Buffer.alloc(100_000, count)
    }
    // Whether this nginx has the module for PUT or not, it reads the whole body before it answers.
    const upload = await client.request('/upload', { method: 'PUT', body: parts() })
    expect([201, 204, 405]).toContain(upload.status)
    await upload.text()
    expect((await client.request('/who')).status).toBe(200)
  })
})
