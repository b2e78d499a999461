import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createSealer } from './index.ts'

const key = randomBytes(32)
const sealer = createSealer({ current: key })

describe('a sealed text', () => {
  it.each(['', 'p4ss', 'ünïcode 🗝', 'x'.repeat(100_000)])('opens to what was sealed (%#)', (text) => {
    expect(sealer.open(sealer.seal(text, 'row/1'), 'row/1')).toBe(text)
  })

  it('looks different each time, although the text is the same', () => {
    expect(sealer.seal('a', 'c')).not.toBe(sealer.seal('a', 'c'))
  })

  it('does not open in another context', () => {
    expect(() => sealer.open(sealer.seal('a', 'row/1'), 'row/2')).toThrow(expect.objectContaining({ code: 'STORE_FAILED' }))
  })

  it('does not open when any of its characters was changed, added or removed', () => {
    const sealed = sealer.seal('some secret', 'row/1')
    for (let at = 0; at < sealed.length; at += 1) {
      const replacement = sealed[at] === 'A' ? 'B' : 'A'
      for (const broken of [
        sealed.slice(0, at) + replacement + sealed.slice(at + 1),
        sealed.slice(0, at) + sealed.slice(at + 1),
        sealed.slice(0, at),
      ]) {
        // The last character of Base64url carries unused bits; a change there alone leaves the bytes as they were.
        if (Buffer.from(broken.split('.')[2] ?? '', 'base64url').equals(Buffer.from(sealed.split('.')[2] ?? '', 'base64url'))) {
          if (broken.startsWith(sealed.slice(0, sealed.lastIndexOf('.')))) continue
        }
        expect(() => sealer.open(broken, 'row/1')).toThrow(expect.objectContaining({ code: 'STORE_FAILED' }))
      }
    }
  })

  it('fails with our error, whatever the input is', () => {
    const keyId = sealer.seal('', '').split('.')[1] ?? ''
    const bodies = Array.from({ length: 200 }, (_, length) => randomBytes(length).toString('base64url'))
    const texts = [
      '',
      '.',
      '..',
      'v1',
      'v1..',
      'v2.a.b',
      `v1.${keyId}.`,
      `v1.${keyId}.=`,
      '{}',
      '\0',
      ...bodies,
      ...bodies.map((body) => `v1.${keyId}.${body}`),
    ]
    for (const text of texts) {
      expect(() => sealer.open(text, 'row/1')).toThrow(expect.objectContaining({ code: 'STORE_FAILED' }))
    }
  })
})

describe('changing keys', () => {
  it('opens texts of previous keys and seals with the current one', () => {
    const next = randomBytes(32)
    const rotated = createSealer({ current: next, previous: [key] })
    const old = sealer.seal('a', 'c')
    expect(rotated.open(old, 'c')).toBe('a')
    expect(createSealer({ current: next }).open(rotated.seal('b', 'c'), 'c')).toBe('b')
  })

  it('says that the key is missing, without saying anything of the text', () => {
    const other = createSealer({ current: randomBytes(32) })
    expect(() => other.open(sealer.seal('p4ss', 'c'), 'c')).toThrow(/its key [\w-]{8} is not at hand/)
  })

  it('is not disturbed when the caller wipes its copy of the key', () => {
    const copy = Buffer.from(key)
    const own = createSealer({ current: copy })
    copy.fill(0)
    expect(sealer.open(own.seal('a', 'c'), 'c')).toBe('a')
  })

  it.each([0, 16, 31, 33])('refuses a key of %i bytes', (length) => {
    expect(() => createSealer({ current: Buffer.alloc(length) })).toThrow(expect.objectContaining({ code: 'CONFIGURATION_INVALID' }))
    expect(() => createSealer({ current: key, previous: [Buffer.alloc(length)] })).toThrow(/sealing key has/)
  })
})
