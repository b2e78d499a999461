/** A sentence or two. */
const maxCharacters = 500

/**
 * What a server says, fit for an error or a log: `secrets` that it gives back are cut out, in the clear and in base64, control
 * characters are blanks, and it ends after 500 characters.
 */
export function foreignText(text: string, secrets: readonly string[] = []): string {
  return (
    secrets
      .flatMap((secret) => [secret, Buffer.from(secret, 'utf8').toString('base64')])
      .filter((secret) => secret !== '')
      // The longest first: one may be part of another.
      .toSorted((a, b) => b.length - a.length)
      .reduce((shown, secret) => shown.replaceAll(secret, '[redacted]'), text)
      .slice(0, maxCharacters)
      .replaceAll(/[\p{Cc}\u2028\u2029]/gu, ' ')
  )
}
