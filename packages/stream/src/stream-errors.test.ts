import { ConnectivityError } from '@sallyport/core'
import { describe, expect, it } from 'vitest'
import { connectionError } from './index.ts'

describe('a connection that broke', () => {
  it('shows the code, and keeps as its cause what is an error and nothing else', () => {
    const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
    expect(connectionError('send', reset)).toMatchObject({ message: 'send: the connection broke (ECONNRESET)', cause: reset })
    for (const [known, shown] of [
      [{ code: 'ETIMEDOUT', response: 'the dialogue' }, ' (ETIMEDOUT)'],
      [{ code: 7 }, ''],
      [undefined, ''],
    ] as const) {
      const error = connectionError('send', known)
      expect([error.code, error.message, error.cause]).toEqual(['BACKEND_UNREACHABLE', `send: the connection broke${shown}`, undefined])
      expect(error).not.toHaveProperty('cause')
    }
  })
  it('passes on what is known already', () => {
    const lost = new ConnectivityError('TUNNEL_LOST', 'the tunnel is gone')
    expect(connectionError('send', lost)).toBe(lost)
  })
})
