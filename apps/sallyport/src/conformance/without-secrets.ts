import type { CaseResult } from '@sallyport/conformance/cases'

/**
 * The result as a report may show it: cases print what they saw, and a broken target shows tokens where none belong. Base64
 * of a secret and of a pair with an empty password is taken out as well, and so is what a long text was cut to.
 */
export function withoutSecrets(result: CaseResult, secrets: readonly string[]): CaseResult {
  const { failure } = result
  if (failure === undefined) return result
  const forms = secrets
    .filter((secret) => secret !== '')
    .flatMap((secret) => [secret, Buffer.from(`${secret}:`).toString('base64'), Buffer.from(secret).toString('base64')])
  const clean = (text: string): string => forms.reduce(cutOut, text)
  return {
    ...result,
    failure: {
      message: clean(failure.message),
      ...(failure.expected === undefined ? {} : { expected: clean(failure.expected) }),
      ...(failure.actual === undefined ? {} : { actual: clean(failure.actual) }),
    },
  }
}

/** How much of a long secret is enough to know it by: its end may be missing, because texts are shortened. */
const tellingLength = 16

function cutOut(text: string, secret: string): string {
  const beginning = secret.slice(0, tellingLength)
  let shown = text
  for (let at = shown.indexOf(beginning); at >= 0; at = shown.indexOf(beginning, at)) {
    let length = beginning.length
    while (length < secret.length && shown[at + length] === secret[length]) length++
    shown = `${shown.slice(0, at)}(secret)${shown.slice(at + length)}`
  }
  return shown
}
