import { describe, expect, it } from 'vitest'
import { foreignText } from './foreign-text.ts'

describe('the text of somebody else', () => {
  it('loses secrets in the clear and in base64, whichever contains the other', () => {
    const base64 = Buffer.from('p4ss').toString('base64')
    expect(foreignText(`no p4ss, no p4ss-more and no ${base64}`, ['p4ss', 'p4ss-more', ''])).toBe(
      'no [redacted], no [redacted] and no [redacted]',
    )
  })
  it('begins no line and is bounded', () => {
    expect(foreignText('a\r\nb\u001b[31m\u2028c\u0085')).toBe('a  b [31m c ')
    expect(foreignText('x'.repeat(10_000))).toHaveLength(500)
  })
})
