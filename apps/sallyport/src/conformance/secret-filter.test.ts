import type { CaseResult } from '@sallyport/conformance/cases'
import { expect, it } from 'vitest'
import { createSecretFilter } from './secret-filter.ts'

const secret = 'header.payload.signature'
const withoutSecrets = (result: CaseResult, secrets: readonly string[]): CaseResult => {
  const filter = createSecretFilter()
  for (const each of secrets) filter.hide(each)
  return filter.clean(result)
}

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
  const skipped = { ...result, outcome: 'skipped', failure: undefined, reason: `no answer to ${secret}` } as never
  expect(withoutSecrets(skipped, [secret]).reason).toBe('no answer to (secret)')
  const passed = { ...result, outcome: 'passed', failure: undefined } as never
  expect(withoutSecrets(passed, [secret])).toBe(passed)
})

it('takes out pairs of a user and a secret in Base64, and what is escaped for a form', () => {
  const filter = createSecretFilter()
  filter.hide('p+w d=', 'sb-clone!b1|x')
  const clean = (message: string): string | undefined =>
    filter.clean({ suite: 's', subject: 's', name: 'n', ids: [], outcome: 'failed', failure: { message }, durationMs: 1 }).failure?.message
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  expect(clean(`Basic ${base64('sb-clone!b1|x:p+w d=')} sent`)).toBe('Basic (secret) sent')
  expect(clean(`Basic ${base64('sb-clone%21b1%7Cx:p%2Bw+d%3D')} sent`)).toBe('Basic (secret) sent')
  expect(clean('client_secret=p%2Bw+d%3D&grant_type=x')).toBe('client_secret=(secret)&grant_type=x')
})

it('comes to an end with a secret that is called like its substitute', () => {
  const filter = createSecretFilter()
  filter.hide('secret')
  const failure = { message: 'a secret of two secrets' }
  expect(filter.clean({ suite: 's', subject: 's', name: 'n', ids: [], outcome: 'failed', failure, durationMs: 1 }).failure?.message).toBe(
    'a (secret) of two (secret)s',
  )
})
