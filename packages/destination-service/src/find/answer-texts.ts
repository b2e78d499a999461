/** Remembers the JSON text of answers. */
export interface AnswerTexts {
  /** The text that was made last for `subject` when it was made of the same parts; otherwise what `make` returns, as JSON. */
  of(subject: object, parts: readonly unknown[], make: () => unknown): string
}

/**
 * Most look-ups of a destination show what the one before has shown, token included, and writing it down takes longer than finding it. Parts are compared by
 * identity: whoever makes another state makes another object. A text lives as long as its subject.
 */
export function createAnswerTexts(): AnswerTexts {
  const texts = new WeakMap<object, { readonly parts: readonly unknown[]; readonly text: string }>()
  return {
    of(subject, parts, make) {
      const known = texts.get(subject)
      if (known !== undefined && known.parts.length === parts.length && known.parts.every((part, at) => part === parts[at]))
        return known.text
      const text = JSON.stringify(make())
      texts.set(subject, { parts, text })
      return text
    },
  }
}
