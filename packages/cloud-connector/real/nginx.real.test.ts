import { type Nginx, skipUnless, startNginx } from '@sallyport/real-backends'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ConnectorBench, mappingTo, startConnectorBench } from '../conformance/connector-bench.ts'

/** Says which path it has resolved; nginx answers from `location` blocks, as a backend would that protects one of them. */
const configuration = ({ port }: { readonly port: number }): string => `
  server {
    listen 127.0.0.1:${port};
    large_client_header_buffers 4 32k;
    location ^~ /public/ { add_header x-resolved public always; add_header x-connection $connection; add_header x-uri $uri always; return 200 "public"; }
    location / { add_header x-resolved private always; add_header x-uri $uri always; return 200 "private"; }
  }`

describe.skipIf(skipUnless('nginx'))('against nginx', () => {
  let nginx: Nginx
  let bench: ConnectorBench
  beforeAll(async () => {
    nginx = await startNginx({ configuration })
    bench = await startConnectorBench({
      connector: {
        mappings: [
          mappingTo(`http://127.0.0.1:${nginx.port}`, { resources: [{ path: '/public/', subPaths: true }, { path: '/private/one' }] }),
        ],
      },
    })
  })
  afterAll(async () => {
    await bench[Symbol.asyncDispose]()
    await nginx.stop()
  })

  const spellings = [
    '/',
    '//',
    '/./',
    '/../',
    '..',
    '.',
    '%2e',
    '%2E%2e',
    '%2f',
    '%5c',
    '\\',
    ';',
    ';a=b',
    '#',
    '%23',
    '%3f',
    '%252e',
    '%252f',
    '%00',
    '%20',
    '+',
  ]
  const names = ['public', 'private', 'x', '/public/', '/private/', 'private/one', '%70ublic', '~', '%c0%ae', '%e2%80%a4']
  const piece = fc.constantFrom(...spellings, ...names)
  const path = fc.array(piece, { maxLength: 7 }).map((pieces) => `/${pieces.join('')}`)
  const attack = fc.array(piece, { maxLength: 7 }).map((pieces) => `/public/${pieces.join('')}`)

  it('nothing that is admitted for a resource is resolved outside of it by nginx', async () => {
    const seen = { admitted: 0, denied: 0 }
    const agent = bench.keepAlive()
    const check = async (target: string): Promise<void> => {
      // Characters that no HTTP client sends cannot reach access control as a path.
      if (/[^\x21-\x7e]/.test(target)) return
      const answer = await bench.request({ path: target, agent })
      if (answer.status === 403) {
        seen.denied++
        return
      }
      seen.admitted++
      const resolved = answer.headers['x-uri']
      const inside = answer.headers['x-resolved'] === 'public' || resolved === '/private/one' || answer.status === 400
      expect(inside, `${target} was admitted, and nginx resolved it to ${String(resolved)}`).toBe(true)
    }
    for (const target of ['/public/a', '/public/./a', '/public/a/../b', '/private/one', '/public/%61', '/public/a;b/c', '/public/x//y']) {
      await check(target)
    }
    expect(seen).toEqual({ admitted: 7, denied: 0 })
    await fc.assert(fc.asyncProperty(attack, check), { numRuns: 1500 })
    await fc.assert(fc.asyncProperty(path, check), { numRuns: 500 })
    expect(seen.admitted).toBeGreaterThan(50)
    expect(seen.denied).toBeGreaterThan(500)
  })

  it('CC-097 requests of one connection reach nginx over one connection', async () => {
    const agent = bench.keepAlive()
    const connections = new Set<unknown>()
    for (let round = 0; round < 20; round++) {
      const answer = await bench.request({ path: `/public/${round}`, agent })
      expect([answer.status, answer.body, answer.headers['x-uri']]).toEqual([200, 'public', `/public/${round}`])
      connections.add(answer.headers['x-connection'])
    }
    expect(connections.size).toBe(1)
  })
})
