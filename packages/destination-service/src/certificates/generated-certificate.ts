import { randomUUID } from 'node:crypto'
import type { Clock } from '@sallyport/core'
import { writeJks, writePem, writePkcs12 } from '@sallyport/keystore'
import { formatName, parseCertificationRequest, parseName } from '@sallyport/x509'
import type { KeyPairs } from '../keys/key-pairs.ts'
import type { CertificateAttributes } from './certificate-attributes.ts'
import type { CertificateAuthority } from './certificate-authority.ts'
import { type CertificateRecord, formatRecord } from './certificate-record.ts'
import type { SubjectTemplate } from './subject-template.ts'
import { endOfValidity } from './validity.ts'

/** A file that was generated, and what is kept beside it. */
interface GeneratedCertificate {
  readonly content: Buffer
  /** The hidden part of the entity: what a renewal needs. */
  readonly hidden: Readonly<Record<string, string>>
}

/** Makes certificates with keys. */
export interface CertificateGenerator {
  generate(request: {
    readonly name: string
    readonly subaccountId: string
    readonly attributes: CertificateAttributes
    /** Of the certificate that is renewed; otherwise a new one is made. */
    readonly subject?: string
  }): Promise<GeneratedCertificate>
}

/** What the extension of a name makes of a generated certificate; `undefined` where nothing can be generated. */
export function generatedForm(name: string): 'pem' | 'pkcs12' | 'jks' | undefined {
  switch (name.slice(name.lastIndexOf('.') + 1).toLowerCase()) {
    case 'pem':
    case 'crt':
    case 'cer':
      return 'pem'
    case 'p12':
    case 'pfx':
      return 'pkcs12'
    case 'jks':
      return 'jks'
    default:
      return undefined
  }
}

/** Puts key, certificate and file together. Without a certification request every certificate gets a key of its own, renewed ones as well. */
export function createCertificateGenerator(deps: {
  readonly landscape: string
  readonly authority: CertificateAuthority
  readonly keyPairs: KeyPairs
  readonly subjectOf: SubjectTemplate
  readonly clock: Clock
}): CertificateGenerator {
  const { landscape, authority, keyPairs, subjectOf, clock } = deps
  return {
    async generate({ name, subaccountId, attributes, subject: previous }) {
      const { commonName: cn, validity, csr, password } = attributes
      const subject = previous === undefined ? subjectOf({ cn, subaccountId, id: randomUUID(), landscape }) : parseName(previous)
      const pair = csr === undefined ? await keyPairs.generate() : undefined
      const publicKey = pair?.publicKey ?? parseCertificationRequest(Buffer.from(csr ?? '', 'base64')).publicKey
      // Certificates know no fractions of seconds.
      const expiresAtMs = Math.floor(endOfValidity(clock.now(), validity) / 1_000) * 1_000
      const certificates = await authority.issue({ subject, publicKey, notAfterMs: expiresAtMs })
      const record: CertificateRecord = { expiresAtMs, generated: { attributes, subject: formatName(subject) } }
      const hidden = formatRecord(record)
      if (pair === undefined) return { content: Buffer.from(certificates.join('')), hidden }
      const privateKey = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
      const entry = { alias: name, certificates, privateKey, password }
      switch (generatedForm(name)) {
        case 'pkcs12':
          return { content: await writePkcs12(entry), hidden }
        case 'jks':
          return { content: writeJks(entry, clock.now()), hidden }
        default:
          return { content: Buffer.from(writePem(entry)), hidden }
      }
    },
  }
}
