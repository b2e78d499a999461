import { expect, it } from 'vitest'
import { withoutSecrets } from './without-secrets.ts'

const secret = 'header.payload.signature'

it('takes secrets out of everything that a failing case says, also in Base64', () => {
  const result = {
    suite: 'http',
    subject: 'listener',
    name: 'keeps Proxy-Authorization from the backend',
    ids: ['CP-026'],
    outcome: 'failed',
    failure: {
      message: `expected 'Bearer ${secret}' not to match`,
      expected: `Basic ${Buffer.from(`${secret}:`).toString('base64')}`,
      actual: `Bearer ${secret} and ${Buffer.from(secret).toString('base64')}`,
    },
    durationMs: 1,
  } as const
  expect(withoutSecrets(result, [secret]).failure).toEqual({
    message: "expected 'Bearer (secret)' not to match",
    expected: 'Basic (secret)',
    actual: 'Bearer (secret) and (secret)',
  })
  expect(withoutSecrets({ ...result, failure: { message: secret } }, [secret]).failure).toEqual({ message: '(secret)' })
  expect(withoutSecrets(result, ['']).failure).toEqual(result.failure)
  const cut = { message: `got ${secret.slice(0, 20)}... 4 more characters` }
  expect(withoutSecrets({ ...result, failure: cut }, [secret]).failure).toEqual({ message: 'got (secret)... 4 more characters' })
  const passed = { ...result, outcome: 'passed', failure: undefined } as never
  expect(withoutSecrets(passed, [secret])).toBe(passed)
})
