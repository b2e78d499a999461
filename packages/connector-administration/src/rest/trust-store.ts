import { X509Certificate } from 'node:crypto'
import { ConnectivityError } from '@sallyport/core'
import { formatPem, formatSubject, parsePemCertificates } from '@sallyport/x509'
import { issuerText } from '../certificates/owned-certificate.ts'
import type { TrustedCertificate, TrustStore } from '../document/trust-store.ts'
import { invalidRequest, notFound } from './rest-error.ts'
import { type Answer, type Call, type Route, route } from './route.ts'

/** Where a list of trusted certificates is, and how it is changed. */
export interface TrustStorePlace {
  /** Of the collection, such as `…/truststore/certificates`. */
  readonly path: string
  /** Beginning of aliases, as the original has them. */
  readonly prefix: string
  readonly only?: 'master'
  read(): TrustStore
  change(user: string, edit: (before: TrustStore) => TrustStore): Promise<unknown>
}

/** Uploads, shows and removes trusted certificates, all or one by its alias. */
export function trustStoreRoutes({ path, prefix, read, change, ...place }: TrustStorePlace): readonly Route[] {
  const only = place.only === undefined ? {} : { only: place.only }
  const find = (alias = ''): TrustedCertificate => {
    const found = read().certificates.find((each) => each.alias === alias)
    if (found === undefined) throw notFound(`there is no trusted certificate "${alias}"`)
    return found
  }
  return [
    route({
      method: 'POST',
      path,
      permission: 'associates',
      ...only,
      upload: true,
      async handle({ caller, form }) {
        const uploaded = [...form.files('certificates'), ...form.files('certificate')].flatMap(readCertificates)
        if (uploaded.length === 0) throw invalidRequest('the part "certificates" is missing, or holds no certificate')
        await change(caller.user, (before) => ({ nextUpload: before.nextUpload + 1, certificates: added(before, uploaded, prefix) }))
        return { status: 201 }
      },
    }),
    route({
      method: 'GET',
      path,
      permission: 'all',
      handle(call) {
        const { certificates } = read()
        if (certificates.length === 0) throw notFound('no certificate is trusted')
        return answerCertificates(call, certificates)
      },
    }),
    route({
      method: 'GET',
      path: `${path}/:alias`,
      permission: 'all',
      handle: (call) => answerCertificates(call, [find(call.params['alias'])]),
    }),
    route({
      method: 'DELETE',
      path: `${path}/:alias`,
      permission: 'associates',
      ...only,
      async handle({ caller, params }) {
        const { alias } = find(params['alias'])
        await change(caller.user, (before) => ({ ...before, certificates: before.certificates.filter((each) => each.alias !== alias) }))
        return { status: 204 }
      },
    }),
    route({
      method: 'DELETE',
      path,
      permission: 'associates',
      ...only,
      async handle({ caller }) {
        await change(caller.user, (before) => ({ ...before, certificates: [] }))
        return { status: 204 }
      },
    }),
  ]
}

/** What lists tell about a trusted certificate. Times are UTC milliseconds. */
export function describeTrusted({ alias, certificate }: TrustedCertificate): Readonly<Record<string, unknown>> {
  const read = new X509Certificate(certificate)
  return { alias, subjectDN: formatSubject(read.raw), issuer: issuerText(read), notAfterTimeStamp: read.validToDate.getTime() }
}

/** Certificates of one uploaded file: PEM, with any number of them, or DER. */
function readCertificates(content: Buffer): readonly X509Certificate[] {
  try {
    if (content[0] === derSequence) return [new X509Certificate(content)]
    return parsePemCertificates(content.toString('latin1')).map((der) => new X509Certificate(der))
  } catch (error) {
    throw invalidRequest(
      `certificates: ${ConnectivityError.is(error) ? error.message : 'a file is neither a certificate in PEM nor in DER'}`,
    )
  }
}

const derSequence = 0x30

function added(
  { certificates, nextUpload }: TrustStore,
  uploaded: readonly X509Certificate[],
  prefix: string,
): readonly TrustedCertificate[] {
  const known = new Set(certificates.map(({ certificate }) => new X509Certificate(certificate).fingerprint256))
  const fresh = uploaded.map((certificate, at): TrustedCertificate => {
    if (known.has(certificate.fingerprint256))
      throw invalidRequest(`the certificate of ${formatSubject(certificate.raw)} is trusted already`)
    known.add(certificate.fingerprint256)
    return { alias: `${prefix}.${nextUpload}.${at}`, certificate: formatPem('CERTIFICATE', certificate.raw) }
  })
  return [...certificates, ...fresh]
}

function answerCertificates({ headers }: Pick<Call<unknown>, 'headers'>, certificates: readonly TrustedCertificate[]): Answer {
  if (!/application\/pkix-cert/i.test(headers.accept ?? ''))
    return { status: 200, body: certificates.map(({ certificate }) => certificate).join(''), type: 'application/x-pem-file' }
  // DER has no form for several certificates but one behind the other.
  const body = Buffer.concat(certificates.map(({ certificate }) => new X509Certificate(certificate).raw))
  return { status: 200, body, type: 'application/octet-stream' }
}
