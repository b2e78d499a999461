import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { readFileSync } from 'node:fs'
import { systemClock } from '@sallyport/core'
import {
  createDestinationService,
  createOutgoing,
  createSqlEntityRepository,
  createSqlKeyRepositories,
  type DestinationTables,
} from '@sallyport/destination-service'
import { createDataKeys, createSealer, openDatabase } from '@sallyport/store'
import { createFixedKeySource, createTokenVerifier, type IssuerKeys } from '@sallyport/token-verifier'
import { dataSetKey, destinationOf, subaccountOf } from '../find/data-set.ts'
import { tell } from './role.ts'

/** What the destination service of the benchmark is told. */
export interface FindServiceSettings {
  readonly file: string
  readonly issuer: IssuerKeys
  readonly client: string
}

/** The destination service on a data set, whose first destination fetches a token. The token service runs in this process and is called once. */
const { file, issuer, client } = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as FindServiceSettings
const tokens = createServer((_request, response) => {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ access_token: 'x'.repeat(900), token_type: 'bearer', expires_in: 43_199, scope: 'orders.read' }))
})
await once(tokens.listen(0, '127.0.0.1'), 'listening')
const tokenServiceUrl = `http://127.0.0.1:${(tokens.address() as AddressInfo).port}/oauth/token`

const db = openDatabase<DestinationTables>(file)
const master = createSealer({ current: dataSetKey })
const sealers = createDataKeys({ db, master, clock: systemClock })
const repository = createSqlEntityRepository({ db, sealers })
const level = { subaccountId: subaccountOf(0), instanceId: null }
const found = await repository.find('destination', level, destinationOf(0))
const properties = {
  ...found?.properties,
  Authentication: 'OAuth2ClientCredentials',
  clientId: 'client',
  clientSecret: 'secret',
  tokenServiceURL: tokenServiceUrl,
  tokenServiceURLType: 'Dedicated',
}
await repository.replace('destination', level, [{ name: destinationOf(0), properties, sharedWithSubscriber: false }], { nowMs: Date.now() })

const service = createDestinationService({
  repository,
  keys: createSqlKeyRepositories({ db, master, sealers }),
  landscape: 'bench.example.com',
  certificates: {},
  verifier: createTokenVerifier({
    keys: createFixedKeySource([issuer]),
    clock: systemClock,
    expiryToleranceSeconds: 0,
    notBeforeToleranceSeconds: 60,
    maxCachedTokens: 10_000,
    maxTokenBytes: 16_384,
  }),
  instances: { find: (clientId) => (clientId === client ? { instanceId: 'bench', subaccountId: subaccountOf(0) } : undefined) },
  outgoing: createOutgoing({ privateAddresses: 'allow' }),
  clock: systemClock,
})
const { port } = await service.listen({ host: '127.0.0.1', port: 0 })
tell({ port })
process.once('SIGINT', () => process.exit(0))
