import { X509Certificate } from 'node:crypto'
import { ConnectivityError } from '@sallyport/core'
import { formatPem, formatSubject, parsePemCertificates } from '@sallyport/x509'
import { z } from 'zod'
import { issuerText } from '../certificates/owned-certificate.ts'
import type { ConfigurationEditor } from '../document/configuration-editor.ts'
import type { OnPremisesSettings, TrustedBackend } from '../document/on-premises.ts'
import { invalidRequest, notFound } from './rest-error.ts'
import { type Answer, type Call, type Route, route } from './route.ts'
import { tolerantBoolean } from './tolerant-values.ts'

const path = '/api/v1/configuration/connector/onPremises/truststore'

/** Which certificates of backends are trusted (cloud-connector.md §8.6). */
export function backendTrust(editor: ConfigurationEditor): readonly Route[] {
  const settings = (): OnPremisesSettings => editor.document.onPremises
  const change = (user: string, edit: (before: OnPremisesSettings) => Partial<OnPremisesSettings>): Promise<unknown> =>
    editor.change(user, (document) => ({ ...document, onPremises: { ...document.onPremises, ...edit(document.onPremises) } }))
  const find = (alias: string): TrustedBackend => {
    const found = settings().trustedBackends.find((each) => each.alias === alias)
    if (found === undefined) throw notFound(`there is no trusted certificate "${alias}"`)
    return found
  }
  return [
    route({
      method: 'GET',
      path,
      permission: 'all',
      handle: () => ({
        status: 200,
        body: { trustAllBackends: settings().trustAllBackends, trustedBackends: settings().trustedBackends.map(describe) },
      }),
    }),
    route({
      method: 'PATCH',
      path,
      permission: 'associates',
      only: 'master',
      body: z.object({ trustAllBackends: tolerantBoolean }),
      async handle({ body: { trustAllBackends }, caller }) {
        await change(caller.user, () => ({ trustAllBackends }))
        return { status: 204 }
      },
    }),
    route({
      method: 'POST',
      path: `${path}/certificates`,
      permission: 'associates',
      only: 'master',
      upload: true,
      async handle({ caller, form }) {
        const uploaded = [...form.files('certificates'), ...form.files('certificate')].flatMap(readCertificates)
        if (uploaded.length === 0) throw invalidRequest('the part "certificates" is missing')
        await change(caller.user, (before) => ({
          nextTrustedBackend: before.nextTrustedBackend + 1,
          trustedBackends: added(before, uploaded),
        }))
        return { status: 201 }
      },
    }),
    route({
      method: 'GET',
      path: `${path}/certificates`,
      permission: 'all',
      handle(call) {
        if (settings().trustedBackends.length === 0) throw notFound('no certificate is trusted')
        return answerCertificates(call, settings().trustedBackends)
      },
    }),
    route({
      method: 'GET',
      path: `${path}/certificates/:alias`,
      permission: 'all',
      handle: (call) => answerCertificates(call, [find(call.params['alias'] ?? '')]),
    }),
    route({
      method: 'DELETE',
      path: `${path}/certificates/:alias`,
      permission: 'associates',
      only: 'master',
      async handle({ caller, params }) {
        const { alias } = find(params['alias'] ?? '')
        await change(caller.user, (before) => ({ trustedBackends: before.trustedBackends.filter((each) => each.alias !== alias) }))
        return { status: 204 }
      },
    }),
    route({
      method: 'DELETE',
      path: `${path}/certificates`,
      permission: 'associates',
      only: 'master',
      async handle({ caller }) {
        await change(caller.user, () => ({ trustedBackends: [] }))
        return { status: 204 }
      },
    }),
  ]
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
  { nextTrustedBackend, trustedBackends }: OnPremisesSettings,
  uploaded: readonly X509Certificate[],
): readonly TrustedBackend[] {
  const known = new Set(trustedBackends.map(({ certificate }) => new X509Certificate(certificate).fingerprint256))
  const fresh = uploaded.map((certificate, at): TrustedBackend => {
    if (known.has(certificate.fingerprint256))
      throw invalidRequest(`the certificate of ${formatSubject(certificate.raw)} is trusted already`)
    known.add(certificate.fingerprint256)
    return { alias: `trustedbackend.${nextTrustedBackend}.${at}`, certificate: formatPem('CERTIFICATE', certificate.raw) }
  })
  return [...trustedBackends, ...fresh]
}

function describe({ alias, certificate }: TrustedBackend): Readonly<Record<string, unknown>> {
  const read = new X509Certificate(certificate)
  return { alias, subjectDN: formatSubject(read.raw), issuer: issuerText(read), notAfterTimeStamp: read.validToDate.getTime() }
}

function answerCertificates({ headers }: Pick<Call<unknown>, 'headers'>, certificates: readonly TrustedBackend[]): Answer {
  const [first] = certificates
  if (first !== undefined && certificates.length === 1 && /application\/pkix-cert/i.test(headers.accept ?? '')) {
    return { status: 200, body: new X509Certificate(first.certificate).raw, type: 'application/octet-stream' }
  }
  // DER has no form for several certificates but one behind the other.
  if (/application\/pkix-cert/i.test(headers.accept ?? ''))
    return {
      status: 200,
      body: Buffer.concat(certificates.map(({ certificate }) => new X509Certificate(certificate).raw)),
      type: 'application/octet-stream',
    }
  return { status: 200, body: certificates.map(({ certificate }) => certificate).join(''), type: 'application/x-pem-file' }
}
