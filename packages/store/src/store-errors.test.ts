import { describe, expect, it } from 'vitest'
import { postgresFailed } from './store-errors.ts'

describe('what the PostgreSQL driver throws', () => {
  it('a server without TLS is told from one with the wrong certificate', () => {
    const refused = postgresFailed('connecting to the database a', new Error('The server does not support SSL connections'))
    expect(refused).toMatchObject({ code: 'PEER_UNTRUSTED', message: expect.stringMatching(/offer TLS.*tls: off/) as string })
    const wrong = postgresFailed('connecting', Object.assign(new Error('self-signed certificate'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }))
    expect(wrong).toMatchObject({ code: 'PEER_UNTRUSTED', message: expect.stringMatching(/check the certificate/) as string })
  })
})
