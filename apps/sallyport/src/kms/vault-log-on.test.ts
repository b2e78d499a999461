import { createManualClock } from '@sallyport/test-fixtures'
import { describe, expect, it } from 'vitest'
import type { Requester } from '../stack/request.ts'
import { createAppRoleLogOn, type VaultLogOn } from './vault-log-on.ts'

/** Log-ons are answered by the test: one promise for each, in the order in which they began. */
function open(): {
  readonly logOn: VaultLogOn
  readonly begun: { readonly signal: AbortSignal | undefined; answer(token: string, seconds?: number): void; refuse(): void }[]
  readonly clock: ReturnType<typeof createManualClock>
} {
  const begun: ReturnType<typeof open>['begun'] = []
  const request: Requester = Object.assign(
    (_url: string | URL, { signal }: Parameters<Requester>[1] = {}) => {
      const { promise, resolve } = Promise.withResolvers<Awaited<ReturnType<Requester>>>()
      const answer = (status: number, body: unknown): void =>
        resolve({ status, headers: {}, text: () => Promise.resolve(JSON.stringify(body)) })
      begun.push({
        signal,
        answer: (token, seconds = 100) => answer(200, { auth: { client_token: token, lease_duration: seconds } }),
        refuse: () => answer(400, { errors: ['invalid role or secret ID'] }),
      })
      return promise
    },
    { [Symbol.asyncDispose]: () => Promise.resolve() },
  )
  const clock = createManualClock(0)
  const common = { name: 'vault', url: 'http://vault.test', mount: 'approle', namespace: undefined }
  return { logOn: createAppRoleLogOn({ ...common, roleId: () => 'role', secretId: () => 'secret', request, clock }), begun, clock }
}
const patient = (): AbortSignal => new AbortController().signal

describe('logging on with role and secret', () => {
  it('is done once for all who need a token at the same time, and again when the token is about to end', async () => {
    const { logOn, begun, clock } = open()
    const first = Promise.all([1, 2, 3].map(() => logOn.token(patient())))
    begun[0]?.answer('one')
    expect([await first, begun.length]).toEqual([['one', 'one', 'one'], 1])
    clock.advance(89_999)
    expect([await logOn.token(patient()), begun.length]).toEqual(['one', 1])
    clock.advance(1)
    const second = logOn.token(patient())
    begun[1]?.answer('two')
    expect([await second, begun.length]).toEqual(['two', 2])
  })

  it('is done once for all whose token was refused at the same time, and for those who are refused while it lasts', async () => {
    const { logOn, begun } = open()
    const first = logOn.token(patient())
    begun[0]?.answer('one')
    await first
    const refused = [1, 2, 3].map(() => logOn.another('one', patient()))
    while (begun.length < 2) await Promise.resolve()
    refused.push(logOn.another('one', patient()), logOn.token(patient()))
    begun[1]?.answer('two')
    expect(await Promise.all(refused)).toEqual(Array(5).fill('two'))
    expect([await logOn.another('one', patient()), begun.length]).toEqual(['two', 2])
  })

  it('goes on for the others when the caller who began it gives up, under a deadline of its own', async () => {
    const { logOn, begun } = open()
    const impatient = new AbortController()
    const first = logOn.token(impatient.signal)
    const second = logOn.token(patient())
    impatient.abort()
    await expect(first).rejects.toMatchObject({ code: 'ABORTED' })
    expect(begun.map(({ signal }) => signal?.aborted)).toEqual([false])
    begun[0]?.answer('one')
    expect(await second).toBe('one')

    const another = logOn.another('one', impatient.signal)
    await expect(another).rejects.toMatchObject({ code: 'ABORTED' })
    const next = logOn.another('one', patient())
    while (begun.length < 2) await Promise.resolve()
    begun[1]?.answer('two')
    expect([await next, begun.length]).toEqual(['two', 2])
  })

  it('that fails fails for all who wait for it, and is tried again by the next', async () => {
    const { logOn, begun } = open()
    const outcomes = Promise.allSettled([logOn.token(patient()), logOn.token(patient())])
    begun[0]?.refuse()
    const failure = { status: 'rejected', reason: { code: 'ENCRYPTION_KEY_UNAVAILABLE' } }
    expect(await outcomes).toMatchObject([failure, failure])
    const next = Promise.all([logOn.another('one', patient()), logOn.token(patient())])
    while (begun.length < 2) await Promise.resolve()
    begun[1]?.answer('two')
    expect([await next, begun.length]).toEqual([['two', 'two'], 2])
  })
})
