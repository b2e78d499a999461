import { randomBytes } from 'node:crypto'
import { createTestIssuer } from '@sallyport/test-fixtures'
import { createFixedKeySource, createTokenVerifier, type TokenVerifier } from '@sallyport/token-verifier'
import { systemClock } from '@sallyport/core'
import { createSealer, type MasterSealer } from '@sallyport/store'

const issuer = createTestIssuer()
export const key: Buffer = randomBytes(32)
export const master: MasterSealer = createSealer({ current: key })
export const bindings = new Map([['sb-destination!b1', { instanceId: 'i1', subaccountId: 'demo' }]])
export const verifier: TokenVerifier = createTokenVerifier({
  keys: createFixedKeySource([{ issuer: issuer.issuer, keys: issuer.keys }]),
  clock: systemClock,
  expiryToleranceSeconds: 0,
  notBeforeToleranceSeconds: 60,
  maxCachedTokens: 10,
  maxTokenBytes: 8192,
})
