import { describe, expect, it } from 'vitest'
import { parsePostgresUrl } from './postgres-url.ts'

describe('the URL of a PostgreSQL database', () => {
  it.each([
    ['postgresql://u@db.example:6432/d', { host: 'db.example', port: 6432, user: 'u', database: 'd' }],
    ['postgres://u@db.example/d', { host: 'db.example', port: 5432, user: 'u', database: 'd' }],
    ['postgresql://a%40b@[::1]/d%20e', { host: '::1', port: 5432, user: 'a@b', database: 'd e' }],
    ['postgresql://u@/d?host=/run/postgresql', { host: '/run/postgresql', port: 5432, user: 'u', database: 'd' }],
    ['postgresql://u@:6432/d?host=/run/postgresql', { host: '/run/postgresql', port: 6432, user: 'u', database: 'd' }],
  ])('%s', (url, expected) => {
    expect(parsePostgresUrl(url)).toEqual(expected)
  })

  it.each([
    ['mysql://u@h/d', /of the form/],
    ['h/d', /of the form/],
    ['postgresql://u:s3cret@h/d', /holds a password/],
    ['postgresql://h/d', /name a user/],
    ['postgresql://u@h', /name a user/],
    ['postgresql://u@h/d/e', /name a user/],
    ['postgresql://u@h/d?sslmode=disable', /parameter "sslmode"/],
    ['postgresql://u@h/d?host=relative', /absolute path/],
    ['postgresql://u@h/%E0%A4%A', /percent-encoded/],
  ])('refuses %s', (url, expected) => {
    expect(() => parsePostgresUrl(url)).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_INVALID', message: expect.stringMatching(expected) }),
    )
    expect(() => parsePostgresUrl(url)).toThrow(expect.not.stringContaining('s3cret'))
  })
})
