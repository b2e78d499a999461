import { DOMParser, type Element, XMLSerializer } from '@xmldom/xmldom'
import { SignedXml } from 'xml-crypto'

/** An assertion as a target reads it. */
export interface ReadAssertion {
  readonly xml: string
  /** Text of the first element of that name; `undefined` when there is none. */
  text(name: string): string | undefined
  /** An attribute of the first element of that name. */
  attribute(element: string, name: string): string | undefined
  /** What is said about the subject. */
  readonly attributes: Readonly<Record<string, readonly string[]>>
}

/** Reads an assertion out of its Base64 form, of either kind. */
export function readAssertion(encoded: string): ReadAssertion {
  const xml = Buffer.from(encoded, 'base64').toString('utf8')
  const root = new DOMParser().parseFromString(xml, 'text/xml')
  const all = (name: string): Element[] => [...root.getElementsByTagNameNS('*', name)]
  return {
    xml,
    text: (name) => all(name)[0]?.textContent ?? undefined,
    attribute: (element, name) => all(element)[0]?.getAttribute(name) ?? undefined,
    attributes: Object.fromEntries(
      all('Attribute').map((attribute) => [
        attribute.getAttribute('Name') ?? '',
        [...attribute.getElementsByTagNameNS('*', 'AttributeValue')].map((value) => value.textContent ?? ''),
      ]),
    ),
  }
}

/** Whether the whole assertion is signed by the key of that certificate. */
export function isSignedBy(xml: string, certificate: string): boolean {
  const signature = new DOMParser()
    .parseFromString(xml, 'text/xml')
    .getElementsByTagNameNS('http://www.w3.org/2000/09/xmldsig#', 'Signature')[0]
  if (signature === undefined) return false
  const verifier = new SignedXml({ publicCert: certificate, getCertFromKeyInfo: () => null })
  verifier.loadSignature(new XMLSerializer().serializeToString(signature))
  try {
    return verifier.checkSignature(xml) && verifier.getSignedReferences().some((signed) => signed.startsWith('<saml2:Assertion'))
  } catch {
    return false
  }
}
