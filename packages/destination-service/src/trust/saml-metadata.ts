import type { TrustKeyPairs } from './trust-repository.ts'

/**
 * What target systems import to trust a subaccount: its certificates, in both roles of SAML that such systems ask for. It names no entity, because the
 * issuer of assertions can be chosen in each destination.
 */
export function samlMetadata({ active, passive }: TrustKeyPairs): string {
  const keys = [active, ...(passive === undefined ? [] : [passive])].map(({ certificate }) => keyDescriptor(certificate)).join('')
  const protocols = 'protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"'
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<ns3:EntityDescriptor xmlns="http://www.w3.org/2000/09/xmldsig#" xmlns:ns2="http://www.w3.org/2001/04/xmlenc#"',
    ' xmlns:ns3="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ns4="urn:oasis:names:tc:SAML:2.0:assertion">',
    `<ns3:SPSSODescriptor AuthnRequestsSigned="true" ${protocols}>${keys}</ns3:SPSSODescriptor>`,
    `<ns3:IDPSSODescriptor WantAuthnRequestsSigned="true" ${protocols}>${keys}</ns3:IDPSSODescriptor>`,
    '</ns3:EntityDescriptor>',
  ].join('')
}

function keyDescriptor(certificate: string): string {
  const base64 = certificate.replaceAll(/-----[A-Z ]+-----|\s/g, '')
  return `<ns3:KeyDescriptor use="signing"><KeyInfo><X509Data><X509Certificate>${base64}</X509Certificate></X509Data></KeyInfo></ns3:KeyDescriptor>`
}
