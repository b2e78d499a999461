import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { redirectAdmitted, redirectPatternProblem } from './redirect-pattern.ts'

describe('redirect patterns', () => {
  it.each([
    ['https://app.acme.test/login/callback', 'https://app.acme.test/login/callback'],
    ['https://app.acme.test/login/callback?authType=xsuaa', 'https://app.acme.test/login/callback'],
    ['https://app.acme.test/login/callback?authType=xsuaa', 'https://app.acme.test/login/callback?authType=xsuaa'],
    ['https://app.acme.test/a/b/c', 'https://app.acme.test/**'],
    ['https://app.acme.test', 'https://app.acme.test/**'],
    ['https://app.acme.test/a', 'https://app.acme.test**'],
    ['https://app.acme.test/a/x', 'https://app.acme.test/*/x'],
    ['https://one-app.acme.test/', 'https://*-app.acme.test/'],
    ['https://a.b.acme.test/', 'https://**.acme.test/'],
    ['https://APP.acme.test/', 'https://app.ACME.test/'],
    ['https://app.acme.test:443/', 'https://app.acme.test/'],
    ['https://app.acme.test/', 'https://app.acme.test:443/'],
    ['http://localhost:5000/x', 'http://localhost:*/**'],
    ['http://[::1]:5000/x', 'http://[::1]:5000/**'],
  ])('%s fits %s', (target, pattern) => {
    expect(redirectPatternProblem(pattern)).toBeUndefined()
    expect(redirectAdmitted(target, [pattern])).toBe(true)
  })

  it.each([
    ['http://app.acme.test/', 'https://app.acme.test/**'],
    ['https://app.acme.test.evil.test/', 'https://app.acme.test**'],
    ['https://evil.test/?https://app.acme.test/', 'https://app.acme.test/**'],
    ['https://app.acme.test@evil.test/', 'https://app.acme.test**'],
    ['https://@app.acme.test/', 'https://app.acme.test/**'],
    [String.raw`https://evil.test\.app.acme.test/`, 'https://*.app.acme.test/**'],
    [String.raw`https://app.acme.test\@evil.test/`, 'https://app.acme.test/**'],
    ['https://evil.test/.acme.test/', 'https://*.acme.test/**'],
    ['https://a.b.acme.test/', 'https://*.acme.test/'],
    ['https://acme.test/', 'https://*.acme.test/'],
    ['https://app.acme.test/login/../admin', 'https://app.acme.test/login/*'],
    ['https://app.acme.test/login/%2e%2e/admin', 'https://app.acme.test/login/*'],
    ['https://app.acme.test/a/b', 'https://app.acme.test/*'],
    ['https://app.acme.test:8443/', 'https://app.acme.test/'],
    ['https://app.acme.test/x?authType=other', 'https://app.acme.test/x?authType=xsuaa'],
    ['https://app.acme.test/#x', 'https://app.acme.test/**'],
    ['https://app.acme.test/\n', 'https://app.acme.test/**'],
    ['https://app.acme.te\tst/', 'https://app.acme.test/**'],
    ['javascript:https://app.acme.test/', 'https://app.acme.test/**'],
    ['//app.acme.test/', 'https://app.acme.test/**'],
    ['', 'https://app.acme.test/**'],
    [`https://app.acme.test/${'a'.repeat(2048)}`, 'https://app.acme.test/**'],
  ])('%s does not fit %s', (target, pattern) => {
    expect(redirectAdmitted(target, [pattern])).toBe(false)
  })

  it.each([
    '**',
    'https://**',
    'https://*',
    'https://*.com/**',
    'https://app.*/',
    'ftp://a.b/',
    'a.b/c',
    '/login',
    'https://a.b/#x',
    'https://a b/',
    `https://a.b/${'a'.repeat(2048)}`,
  ])('"%.30s" is no usable pattern', (pattern) => {
    expect(redirectPatternProblem(pattern)).toBeDefined()
  })

  it('never admits another host, whatever is written around the right one', () => {
    const piece = fc.constantFrom(
      'https://',
      'evil.test',
      'app.acme.test',
      '@',
      '/',
      '\\',
      '?',
      '#',
      ':',
      '.',
      '%2f',
      '%00',
      '\t',
      '443',
      '//',
      '..',
      '[',
      ']',
      ';',
    )
    const pieces = fc.array(piece, { maxLength: 6 })
    const seen = { admitted: 0 }
    const property = fc.property(
      fc.constantFrom('', 'https://', 'https://app.acme.test', 'https://app.acme.test/'),
      pieces,
      (start, rest) => {
        const target = start + rest.join('')
        if (!redirectAdmitted(target, ['https://app.acme.test/**'])) return true
        seen.admitted++
        return new URL(target).host === 'app.acme.test'
      },
    )
    expect(fc.check(property, { numRuns: 3_000 })).toMatchObject({ failed: false })
    expect(seen.admitted).toBeGreaterThan(100)
  })

  it('takes no longer for a pattern full of stars', () => {
    const pattern = `https://app.acme.test/${'**a'.repeat(50)}`
    const started = performance.now()
    expect(redirectAdmitted(`https://app.acme.test/${'a'.repeat(1_900)}b`, [pattern])).toBe(false)
    expect(performance.now() - started).toBeLessThan(1_000)
  })
})
