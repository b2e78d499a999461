import type { DestinationRecord } from '@sallyport/admin-api'
import { expect, it } from 'vitest'
import type { FindHeaders } from '../find/find-headers.ts'
import type { AuthenticationRequest } from './authentication-request.ts'
import type { OutgoingRequest } from './outgoing-request.ts'
import { createSettledCalls } from './settled-calls.ts'
import type { TokenOrder } from './token-calls.ts'

const order: TokenOrder = { grant: {}, tenant: 'header' }
const asking = (properties: Readonly<Record<string, string>>, headers: Partial<FindHeaders> = {}): AuthenticationRequest =>
  ({ configuration: { Name: 'd', Type: 'HTTP', ...properties } as DestinationRecord, headers }) as AuthenticationRequest

/** How often the call of a request was put together when it is asked for twice, and how often its digest was made. */
async function preparations(request: AuthenticationRequest, orders: readonly [TokenOrder, TokenOrder] = [order, order]): Promise<number[]> {
  const settled = createSettledCalls()
  let prepared = 0
  let digested = 0
  for (const asked of orders) {
    const call = await settled.get(request, asked, () => Promise.resolve({ path: `/${++prepared}` } as OutgoingRequest))
    settled.digest(call, () => `digest ${++digested}`)
  }
  return [prepared, digested]
}

it('puts a call that follows from the configuration alone together once', async () => {
  expect(await preparations(asking({ tokenServiceURLType: 'Dedicated' }))).toEqual([1, 1])
  expect(await preparations(asking({ TrustStoreLocation: '' }))).toEqual([1, 1])
})

it.each([
  ['a header with the tenant', asking({}, { tenant: 'acme' })],
  ['an assertion in headers', asking({}, { assertion: { value: 'a', type: 't' } })],
  ['an assertion provider in a header', asking({}, { assertionProvider: 'p' })],
  ['an assertion provider', asking({ 'clientAssertion.destinationName': 'p' })],
  ['a trust store', asking({ TrustStoreLocation: 'ca.pem' })],
  ['a key store', asking({ 'tokenService.KeyStoreLocation': 'key.p12' })],
  ['a URL that several tenants share', asking({ tokenServiceURLType: 'Common' })],
])('puts it together anew with %s', async (_what, request) => {
  expect(await preparations(request)).toEqual([2, 2])
})

it('puts it together anew for another order', async () => {
  expect(await preparations(asking({}), [order, { ...order }])).toEqual([2, 2])
})

it('does not hand a remembered call to somebody whose headers matter', async () => {
  const settled = createSettledCalls()
  const request = asking({})
  const make = (path: string) => () => Promise.resolve({ path } as OutgoingRequest)
  await settled.get(request, order, make('/alone'))
  const other = { ...request, headers: { tenant: 'acme' } as FindHeaders }
  expect(await settled.get(other, order, make('/acme'))).toEqual({ path: '/acme' })
  expect(await settled.get(request, order, make('/again'))).toEqual({ path: '/alone' })
})
