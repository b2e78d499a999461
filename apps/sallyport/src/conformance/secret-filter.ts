import type { CaseResult } from '@sallyport/conformance/cases'

/** Knows what no report may show. Secrets become known while a target is opened, so that whoever shows a result cleans it last. */
export interface SecretFilter {
  /** The empty text is no secret. With a user the Base64 of the pair is hidden as well. */
  hide(secret: string, user?: string): void
  /**
   * The result as a report may show it: cases print what they saw, and a broken target shows tokens where none belong. Base64 of a secret and of a
   * pair, with its user or with an empty password, is taken out as well, also of what is escaped as in a form, and so is what a long text was cut to.
   */
  clean(result: CaseResult): CaseResult
}

/** Hides nothing yet. */
export function createSecretFilter(): SecretFilter {
  const forms = new Set<string>()
  return {
    hide(secret, user) {
      if (secret === '') return
      for (const write of [(text: string): string => text, formEncoded]) {
        forms.add(write(secret))
        forms.add(base64(write(secret)))
        forms.add(base64(`${write(secret)}:`))
        if (user !== undefined) forms.add(base64(`${write(user)}:${write(secret)}`))
      }
    },
    clean(result) {
      const { failure, reason } = result
      if (failure === undefined && reason === undefined) return result
      const clean = (text: string): string => cutOut(text, [...forms])
      return {
        ...result,
        ...(reason === undefined ? {} : { reason: clean(reason) }),
        ...(failure === undefined
          ? {}
          : {
              failure: {
                message: clean(failure.message),
                ...(failure.expected === undefined ? {} : { expected: clean(failure.expected) }),
                ...(failure.actual === undefined ? {} : { actual: clean(failure.actual) }),
              },
            }),
      }
    },
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

/** As in a body, and as RFC 6749 2.3.1 wants it before Base64. */
function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1)
}

/** How much of a long secret is enough to know it by: its end may be missing, because texts are shortened. */
const tellingLength = 16
const hidden = '(secret)'

/** Forms begin alike, so that the one that covers most is the one that stands there. */
function cutOut(text: string, forms: readonly string[]): string {
  let shown = ''
  for (let at = 0; at < text.length;) {
    const length = Math.max(0, ...forms.map((form) => coveredLength(text, at, form)))
    shown += length === 0 ? text[at] : hidden
    at += Math.max(1, length)
  }
  return shown
}

/** 0 where so little of it stands that it does not tell. */
function coveredLength(text: string, at: number, form: string): number {
  let length = 0
  while (length < form.length && text[at + length] === form[length]) length++
  return length < Math.min(form.length, tellingLength) ? 0 : length
}
