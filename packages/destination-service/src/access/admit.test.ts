import type { TokenVerifier } from '@sallyport/token-verifier'
import { expect, it } from 'vitest'
import { admit } from './admit.ts'

const claims = { cid: 'client', zid: 'sub' }
const verifier: TokenVerifier = {
  peek: () => ({ issuer: 'i', keyId: 'k', expiresAtSeconds: 1, claims }),
  verify: () => Promise.resolve({ valid: false, reason: 'unavailable' }),
  decode: () => claims,
}

it.each([
  ['i-1', { admitted: true, caller: { subaccountId: 'sub', instance: { instanceId: 'i-1' } } }],
  // The level of such an instance would be that of the subaccount.
  ['', { admitted: false, answer: { status: 403 } }],
])('admits clients of an instance that has an id (%j), because levels go by it', async (instanceId, expected) => {
  const instances = { find: () => ({ instanceId, subaccountId: 'sub' }) }
  expect(await admit({ authorization: 'Bearer t', certificate: () => undefined }, { verifier, instances })).toMatchObject(expected)
})
