import { EventEmitter } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSecret, systemClock } from '@sallyport/core'
import { expect, it } from 'vitest'
import type { Target } from './read-target.ts'
import { runTarget } from './run-target.ts'
import { createSecretFilter } from './secret-filter.ts'
import { collectStrayErrors } from './stray-errors.ts'

const basic = (user: string, password: string): string => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

it('shows errors outside of all cases without the secrets of the target, those that came before them included', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-target-'))
  try {
    const credentials = {
      clientid: 'sb-clone!b1',
      clientsecret: 'secret-of-the-client=',
      url: 'https://acme.authentication.test',
      onpremise_proxy_host: 'proxy.test',
      onpremise_proxy_port: '20003',
    }
    const bindingsFile = join(folder, 'bindings.json')
    const binding = { name: 'connectivity', label: 'connectivity', tags: [], plan: 'lite', credentials }
    writeFileSync(bindingsFile, JSON.stringify({ connectivity: [binding] }))
    const source = new EventEmitter()
    const filter = createSecretFilter()
    using strays = collectStrayErrors(filter, source)
    source.emit('unhandledRejection', new Error(`sent ${basic('sb-clone!b1', 'secret-of-the-client=')}`))
    await runTarget(target(bindingsFile), { suites: [], filter, clock: systemClock })
    source.emit('uncaughtException', new Error(`sent ${basic('proxy-user', 'pass')} and token-of-jane`))
    source.emit('uncaughtException', 'secret-of-the-client=')
    expect(strays.results().map(({ outcome, failure }) => [outcome, failure?.message])).toEqual([
      ['failed', 'sent Basic (secret)'],
      ['failed', 'sent Basic (secret) and (secret)'],
      ['failed', '(secret)'],
    ])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

function target(bindingsFile: string): Target {
  return {
    name: 'target',
    bindingsFile,
    authorities: [],
    location: '',
    tcp: [],
    rfc: [],
    http: [],
    dotted: undefined,
    elsewhereLocation: undefined,
    notExposed: undefined,
    httpConnect: { proxy: { host: 'proxy.test', port: 8080 }, credentials: { user: 'proxy-user', password: createSecret('pass') } },
    users: [createSecret('token-of-jane'), createSecret('token-of-john')],
    features: { authorization: true, trusted: true, strict: true, upgrades: true, relay: true },
    knownGaps: {},
    limitSeconds: 1,
  }
}
