import { describe, expect, it, vi } from 'vitest'
import { createAnswerTexts } from './answer-texts.ts'

describe('the remembered text of an answer', () => {
  it('is made once for the same parts', () => {
    const texts = createAnswerTexts()
    const [subject, token] = [{}, {}]
    const make = vi.fn<() => unknown>(() => ({ a: 1 }))
    expect([texts.of(subject, ['v1', token], make), texts.of(subject, ['v1', token], make)]).toEqual(['{"a":1}', '{"a":1}'])
    expect(make).toHaveBeenCalledTimes(1)
  })

  it.each([
    ['another token, although it looks the same', (): unknown[] => ['v1', {}]],
    ['another form', (): unknown[] => ['v2', undefined]],
    ['no token', (): unknown[] => ['v1']],
  ])('is not shown for %s', (_what, parts) => {
    const texts = createAnswerTexts()
    const subject = {}
    texts.of(subject, ['v1', {}], () => 'of somebody else')
    expect(texts.of(subject, parts(), () => 'own')).toBe('"own"')
  })

  it('is not shown for another subject', () => {
    const texts = createAnswerTexts()
    texts.of({}, ['v1'], () => 'of another')
    expect(texts.of({}, ['v1'], () => 'own')).toBe('"own"')
  })
})
