import { describe, expect, it } from 'vitest'
import { type MailProtocol, requireMailProtocol } from './mail-protocol.ts'

describe('the protocol that an adapter requires', () => {
  it.each<readonly [MailProtocol, string]>([
    ['smtp', 'smtp or smtps'],
    ['imap', 'imap4 or imap4s'],
    ['pop3', 'pop3 or pop3s'],
  ])('is %s, and another one is refused with the names it may have', (wanted, names) => {
    expect(() => requireMailProtocol({ name: 'POST', protocol: wanted }, wanted)).not.toThrow()
    const other = wanted === 'smtp' ? 'imap' : 'smtp'
    const message = `destination "POST" is for ${other}; mail.transport.protocol has to be ${names}`
    expect(() => requireMailProtocol({ name: 'POST', protocol: other }, wanted)).toThrow(
      expect.objectContaining({ code: 'DESTINATION_INVALID', message }),
    )
  })
})
