import { createManualClock } from '@sallyport/test-fixtures'
import { describe, expect, it } from 'vitest'
import { createConnectivityTokens } from './connectivity-tokens.ts'
import type { Requester } from './request.ts'

const instance = {
  service: 'connectivity',
  name: 'c',
  instanceId: 'i',
  clientId: 'client',
  clientSecret: 'secret',
  xsappname: 'x',
} as const

function setUp(answer: (serial: number) => { readonly status: number; readonly body: unknown }): {
  readonly tokens: ReturnType<typeof createConnectivityTokens>
  readonly clock: ReturnType<typeof createManualClock>
  readonly asked: string[]
} {
  const clock = createManualClock()
  const asked: string[] = []
  const request = (async (_url: unknown, init: { readonly headers?: Readonly<Record<string, string>> }) => {
    asked.push(init.headers?.['x-zid'] ?? '')
    const { status, body } = answer(asked.length)
    return { status, headers: {}, text: async () => JSON.stringify(body) }
  }) as unknown as Requester
  return { tokens: createConnectivityTokens({ request, tokenServiceUrl: 'https://tokens', instance, clock }), clock, asked }
}

const issued = (serial: number): { readonly status: number; readonly body: unknown } => ({
  status: 200,
  body: { access_token: `t${serial}`, expires_in: 600 },
})

describe('tokens for the connectivity proxy', () => {
  it('are asked for once per subaccount while they live, also when many want one at once', async () => {
    const { tokens, clock, asked } = setUp(issued)
    const both = await Promise.all([tokens.get('a'), tokens.get('a'), tokens.get('b')])
    expect(both.map((token) => token.reveal())).toEqual(['t1', 't1', 't2'])
    clock.advance(539_000)
    expect((await tokens.get('a')).reveal()).toBe('t1')
    clock.advance(1_000)
    expect((await tokens.get('a')).reveal()).toBe('t3')
    expect(asked).toEqual(['a', 'b', 'a'])
  })

  it('are asked for again when the proxy did not accept one', async () => {
    const { tokens } = setUp(issued)
    await tokens.get('a')
    tokens.forget('a')
    expect((await tokens.get('a')).reveal()).toBe('t2')
  })

  it('are asked for again after a refusal, which says why and holds no secret', async () => {
    const refused = { status: 401, body: { error_description: 'The tenant has not subscribed' } }
    const { tokens } = setUp((serial) => (serial === 1 ? refused : issued(serial)))
    await expect(tokens.get('a')).rejects.toMatchObject({
      code: 'TOKEN_NOT_ISSUED',
      message: expect.stringContaining('not subscribed') as string,
    })
    expect((await tokens.get('a')).reveal()).toBe('t2')
  })
})
