import { type KeyObject, sign } from 'node:crypto'
import { ConnectivityError } from '@sallyport/core'
import { SignedXml } from 'xml-crypto'
import { minAssertionRsaBits } from '../../limits.ts'

/** What signs an assertion. */
export interface AssertionSigner {
  readonly privateKey: KeyObject
  /** PEM; put into the signature where a reader wants it there. */
  readonly certificate: string
}

const exclusive = 'http://www.w3.org/2001/10/xml-exc-c14n#'
const enveloped = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature'
const sha256 = 'http://www.w3.org/2001/04/xmlenc#sha256'

/** RFC 9231 §2.3 names them. Others would need keys that no target of ours takes. */
const algorithms: Readonly<Record<string, string | undefined>> = {
  rsa: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  ec: 'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256',
}

/**
 * Signs an assertion with an enveloped signature (SAML 2.0 core §5) behind its issuer.
 *
 * @throws ConnectivityError `DESTINATION_INVALID` for a key that is neither RSA nor EC, or too small.
 */
export function signAssertion(xml: string, signer: AssertionSigner, options: { readonly withCertificate: boolean }): string {
  const algorithm = algorithms[signer.privateKey.asymmetricKeyType ?? '']
  if (algorithm === undefined) throw new ConnectivityError('DESTINATION_INVALID', 'SAML assertions are signed with RSA or EC keys only')
  if ((signer.privateKey.asymmetricKeyDetails?.modulusLength ?? minAssertionRsaBits) < minAssertionRsaBits)
    throw new ConnectivityError('DESTINATION_INVALID', `SAML assertions are signed with RSA keys of at least ${minAssertionRsaBits} bits`)
  const signed = new SignedXml({
    signatureAlgorithm: algorithm,
    canonicalizationAlgorithm: exclusive,
    privateKey: signer.privateKey,
    getKeyInfoContent: () =>
      options.withCertificate ? `<ds:X509Data><ds:X509Certificate>${bodyOf(signer.certificate)}</ds:X509Certificate></ds:X509Data>` : null,
  })
  // The library's own algorithm signs with RSA keys only.
  signed.SignatureAlgorithms = { ...signed.SignatureAlgorithms, [algorithm]: signatureAlgorithm(algorithm) }
  signed.addReference({ xpath: '/*', transforms: [enveloped, exclusive], digestAlgorithm: sha256 })
  signed.computeSignature(xml, { prefix: 'ds', location: { reference: "/*/*[local-name(.)='Issuer']", action: 'after' } })
  return signed.getSignedXml()
}

function signatureAlgorithm(name: string): SignedXml['SignatureAlgorithms'][string] {
  return class {
    getAlgorithmName = (): string => name
    getSignature = ((text: string, key: KeyObject): string =>
      // XML has the two numbers of an EC signature side by side, without ASN.1.
      sign('sha256', Buffer.from(text, 'utf8'), { key, dsaEncoding: 'ieee-p1363' }).toString('base64')) as never
    verifySignature = (() => false) as never
  }
}

function bodyOf(pem: string): string {
  return pem.replaceAll(/-----[^-]+-----|\s/g, '')
}
