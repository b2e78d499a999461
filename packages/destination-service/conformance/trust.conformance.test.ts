import { X509Certificate } from 'node:crypto'
import type { AuditEntry } from '@sallyport/core'
import { DOMParser } from '@xmldom/xmldom'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SignedXml } from 'xml-crypto'
import { landscape, providerSubaccount, type RunningService, startService } from './running-service.ts'

const root = '/v1/saml2Metadata'
let running: RunningService
let audited: AuditEntry[]

beforeEach(async () => {
  audited = []
  running = await startService({
    audit: { failing: false, write: (entry) => void audited.push(entry), flushed: () => Promise.resolve() },
  })
})
afterEach(() => running.close())

async function generate(role: '' | '/passive' = ''): Promise<string> {
  const answer = await running.call('POST', `${root}/certificate${role}`)
  expect(answer.status).toBe(200)
  return (answer.json as { readonly certificate: string }).certificate
}

async function metadata(): Promise<string> {
  const { idpMetadata } = (await running.call('GET', root)).json as { readonly idpMetadata: string }
  return Buffer.from(idpMetadata, 'base64').toString()
}

/** The certificates in the metadata, in their order. */
function certificatesIn(xml: string): readonly string[] {
  return [...xml.matchAll(/<X509Certificate>([^<]+)<\/X509Certificate>/g)].map(([, text = '']) =>
    new X509Certificate(Buffer.from(text, 'base64')).toString(),
  )
}

const absent = (which: string): object => ({
  status: 404,
  json: { ErrorMessage: `${which} for subaccount - ${providerSubaccount} does not exist` },
})

describe('trust', () => {
  it('DS-118 is absent until a key pair is made, which is valid for two years; a body is refused', async () => {
    for (const path of [root, `${root}/certificate`]) expect(await running.call('GET', path)).toMatchObject(absent('Keypair'))
    for (const body of [{}, [], { Name: 'x' }, 'null']) {
      const answer = await running.call('POST', `${root}/certificate`, { body })
      expect(answer).toMatchObject({ status: 400, json: { ErrorMessage: 'Request body should be empty!' } })
    }
    expect((await running.call('GET', `${root}/certificate`)).status).toBe(404)

    const pem = await generate()
    const certificate = new X509Certificate(pem)
    expect(certificate.subject.split('\n').toReversed()).toEqual([
      `CN=cfapps.${landscape}/${providerSubaccount}`,
      'OU=Destination Configuration',
      'O=Sallyport',
    ])
    expect(certificate.issuer).toBe(certificate.subject)
    expect(certificate.verify(certificate.publicKey)).toBe(true)
    expect(certificate.validFromDate.toISOString()).toBe('2030-01-01T00:00:00.000Z')
    expect(certificate.validToDate.toISOString()).toBe('2032-01-01T00:00:00.000Z')
    expect((await running.call('GET', `${root}/certificate`)).json).toEqual({ certificate: pem })
    expect(audited.map((entry) => [entry.category, entry.message])).toEqual([['Trust', 'active trust key pair generated']])

    const renewed = await generate()
    expect(renewed).not.toBe(pem)
    expect((await running.call('GET', `${root}/certificate`)).json).toEqual({ certificate: renewed })
  })

  it('has a passive key pair beside an active one only', async () => {
    const passive = `${root}/certificate/passive`
    expect(await running.call('POST', passive)).toMatchObject(absent('Keypair'))
    await generate()
    expect(await running.call('GET', passive)).toMatchObject(absent('Passive Keypair'))
    const first = await generate('/passive')
    expect((await running.call('GET', passive)).json).toEqual({ certificate: first })
    expect(await generate('/passive')).not.toBe(first)
    expect(await running.call('DELETE', passive)).toMatchObject({ status: 200, text: '{"Count":1}' })
    expect(await running.call('DELETE', passive)).toMatchObject(absent('Passive Keypair'))
    expect((await running.call('GET', `${root}/certificate`)).status).toBe(200)
  })

  it('rotates: the two certificates change roles; without a passive one nothing changes', async () => {
    const rotate = `${root}/rotateCertificate`
    expect(await running.call('POST', rotate)).toMatchObject(absent('Passive Keypair'))
    const active = await generate()
    expect(await running.call('POST', rotate)).toMatchObject(absent('Passive Keypair'))
    const passive = await generate('/passive')
    expect((await running.call('POST', rotate, { body: {} })).status).toBe(400)
    expect((await running.call('POST', rotate)).json).toEqual({ activeCertificate: passive, passiveCertificate: active })
    expect((await running.call('GET', `${root}/certificate`)).json).toEqual({ certificate: passive })
    expect((await running.call('GET', `${root}/certificate/passive`)).json).toEqual({ certificate: active })
    expect((await running.call('POST', rotate)).json).toEqual({ activeCertificate: active, passiveCertificate: passive })
  })

  it('DS-119 rotates between two assertions: the next one is signed by the other key; without a passive one it is 404', async () => {
    const Authentication = 'SAMLAssertion'
    const destination = {
      Name: 'd',
      Type: 'HTTP',
      URL: 'https://target.example.com',
      ProxyType: 'Internet',
      Authentication,
      audience: 'a',
      authnContextClassRef: 'c',
      SystemUser: 'technical',
    }
    expect((await running.call('POST', '/v1/subaccountDestinations', { body: destination })).status).toBe(201)
    const signers = async (...certificates: readonly string[]): Promise<readonly boolean[]> => {
      const answer = await running.call('GET', '/v1/destinations/d')
      const { authTokens } = answer.json as { readonly authTokens: readonly { readonly value: string; readonly error?: string }[] }
      expect(authTokens[0]?.error).toBeUndefined()
      const assertion = Buffer.from(authTokens[0]?.value ?? '', 'base64').toString()
      return certificates.map((certificate) => isSignedBy(assertion, certificate))
    }
    expect((await running.call('GET', '/v1/destinations/d')).json).toMatchObject({
      authTokens: [{ error: expect.stringContaining(`Keypair for subaccount - ${providerSubaccount} does not exist`) as string }],
    })
    const active = await generate()
    expect(await running.call('POST', `${root}/rotateCertificate`)).toMatchObject(absent('Passive Keypair'))
    const passive = await generate('/passive')
    expect(await signers(active, passive)).toEqual([true, false])
    expect((await running.call('POST', `${root}/rotateCertificate`)).status).toBe(200)
    expect(await signers(active, passive)).toEqual([false, true])
    const renewed = await generate()
    expect(await signers(active, passive, renewed)).toEqual([false, false, true])
  })

  it('DS-120 is described by XML with the active certificate, and the passive one if there is one', async () => {
    const active = await generate()
    const before = await metadata()
    expect(certificatesIn(before)).toEqual([active, active])
    expect(before).toMatch(/^<\?xml[^>]+><ns3:EntityDescriptor [^>]*xmlns:ns3="urn:oasis:names:tc:SAML:2\.0:metadata"/)
    expect(before).not.toContain('entityID')
    for (const part of ['<ns3:SPSSODescriptor AuthnRequestsSigned="true"', '<ns3:IDPSSODescriptor WantAuthnRequestsSigned="true"'])
      expect(before).toContain(part)
    const passive = await generate('/passive')
    expect(certificatesIn(await metadata())).toEqual([active, passive, active, passive])
  })

  it('belongs to one subaccount', async () => {
    await generate()
    const other = running.token({ subaccount: 'bbbbbbbb-2222-3333-4444-555555555555' })
    expect((await running.call('GET', `${root}/certificate`, { token: other })).status).toBe(404)
    expect((await running.call('POST', `${root}/certificate`, { token: other })).status).toBe(200)
    const own = (await running.call('GET', `${root}/certificate`)).json as { readonly certificate: string }
    expect(new X509Certificate(own.certificate).subject).toContain(providerSubaccount)
  })
})

function isSignedBy(xml: string, certificate: string): boolean {
  const document = new DOMParser().parseFromString(xml, 'text/xml')
  const [signature] = document.getElementsByTagNameNS('http://www.w3.org/2000/09/xmldsig#', 'Signature')
  if (signature === undefined) return false
  const signed = new SignedXml({ publicCert: certificate })
  signed.loadSignature(signature as unknown as Node)
  try {
    return signed.checkSignature(xml)
  } catch {
    // It throws for a signature that does not fit the key, and returns false for a digest that does not fit the text.
    return false
  }
}
