import { ConnectivityError } from '@sallyport/core'

/**
 * A text as content of an element. Characters that XML cannot carry are refused, and so are those line ends that some or all readers turn into another one: what
 * was signed would not be what is read.
 *
 * @throws ConnectivityError `TOKEN_INVALID`.
 */
export function elementText(text: string): string {
  // oxlint-disable-next-line no-control-regex -- XML 1.0 §2.2
  return escaped(text, /[\0-\x08\x0b-\x1f\x7f\x85\u2028\ufffe\uffff]/)
}

/** A text as the value of an attribute; no control characters at all. @throws ConnectivityError `TOKEN_INVALID`. */
export function attributeText(text: string): string {
  // oxlint-disable-next-line no-control-regex -- XML 1.0 §2.2
  return escaped(text, /[\0-\x1f\x7f\x85\u2028\ufffe\uffff]/)
}

function escaped(text: string, refused: RegExp): string {
  if (refused.test(text) || !text.isWellFormed())
    throw new ConnectivityError('TOKEN_INVALID', 'A text for the SAML assertion has characters that XML cannot carry')
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
