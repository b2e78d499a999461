import type { RfcAvailability } from '../rfc-binding.ts'
import type { XmlParserClass } from './xml-tree.ts'

/** What an optional package is when it is not there. */
const missingCodes: readonly unknown[] = ['MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND']

/** Loads `saxes`; whether it is installed is a matter of whoever installed this package. */
export async function loadXmlParser(): Promise<RfcAvailability & { readonly Parser?: XmlParserClass }> {
  try {
    const { SaxesParser } = await import('saxes')
    return { available: true, Parser: SaxesParser }
  } catch (error) {
    const { code } = (error ?? {}) as { readonly code?: unknown }
    if (!missingCodes.includes(code)) throw error
    return { available: false, reason: `saxes cannot be loaded (${String(code)}); install it` }
  }
}
