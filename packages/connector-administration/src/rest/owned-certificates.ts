import { X509Certificate } from 'node:crypto'
import type { Clock } from '@sallyport/core'
import { z } from 'zod'
import {
  acceptPkcs12,
  acceptSigned,
  type CertificatePurpose,
  createRequest,
  createSelfSigned,
  describeCertificate,
} from '../certificates/owned-certificate.ts'
import type { AdministeredDocument } from '../document/administered-document.ts'
import type { ConfigurationEditor } from '../document/configuration-editor.ts'
import type { CertificateSlot, OwnedCertificate } from '../document/on-premises.ts'
import { maxSelfSignedDays, selfSignedDays } from '../limits.ts'
import { invalidRequest, notFound } from './rest-error.ts'
import { type Route, route } from './route.ts'
import { tolerantBoolean, tolerantInteger } from './tolerant-values.ts'

/** How a certificate is called, and what may be done with it. */
export interface OwnedCertificatePlace {
  /** Below the root, such as `/api/v1/configuration/connector/onPremises/systemCertificate`. */
  readonly path: string
  readonly purpose: CertificatePurpose
  /** File name of its DER form, without `.der`. */
  readonly fileName: string
  /** `true` lets it be removed. */
  readonly removable: boolean
  readonly only?: 'master'
}

/** Where in the document a certificate is. */
export interface PlaceOnPremises extends OwnedCertificatePlace {
  get(document: AdministeredDocument): CertificateSlot
  set(document: AdministeredDocument, slot: CertificateSlot): AdministeredDocument
}

/** Where a certificate is kept. */
export interface OwnedCertificateSlot {
  readonly clock: Clock
  /** What is in force. */
  readonly slot: CertificateSlot
  change(user: string, edit: (before: CertificateSlot) => CertificateSlot): Promise<unknown>
}

/** A place of the document. */
export function slotOf(
  place: PlaceOnPremises,
  { clock, editor }: { readonly clock: Clock; readonly editor: ConfigurationEditor },
): OwnedCertificateSlot {
  return {
    clock,
    get slot() {
      return place.get(editor.document)
    },
    change: (user, edit) => editor.change(user, (document) => place.set(document, edit(place.get(document)))),
  }
}

/** Places of the two certificates towards backends (cloud-connector.md §8.6). */
export const onPremisesCertificates: readonly PlaceOnPremises[] = [
  placeOnPremises('systemCertificate', 'system', 'system_certificate'),
  placeOnPremises('ppCaCertificate', 'ca', 'ca_certificate'),
]

const wish = z.object({
  type: z.enum(['selfsigned', 'csr']),
  keySize: tolerantInteger(2048, 4096)
    .refine((size) => size === 2048 || size === 4096, 'is 2048 or 4096')
    .default(4096),
  subjectDN: z.string().min(1).max(2048),
  // Our own: the original offers them in its pages alone.
  validityInDays: tolerantInteger(1, maxSelfSignedDays).default(selfSignedDays),
  autoRenewal: tolerantBoolean.default(false),
  subjectAltNames: z
    .array(z.object({ type: z.enum(['DNS', 'URI', 'IP', 'RFC822']), value: z.string().min(1).max(255) }))
    .max(100)
    .default([]),
})

const dayMs = 86_400_000

/** What can be done with an owned certificate: look, make, request, take the answer, upload, remove. */
export function ownedCertificateRoutes(place: OwnedCertificatePlace, kept: OwnedCertificateSlot): readonly Route[] {
  const { path } = place
  const only = place.only === undefined ? {} : { only: place.only }
  const current = (): OwnedCertificate => {
    const owned = kept.slot.current
    if (owned === undefined) throw notFound(`there is no ${place.fileName.replace('_', ' ')}`)
    return owned
  }
  const replace: OwnedCertificateSlot['change'] = (user, edit) => kept.change(user, edit)
  const removal = route({
    method: 'DELETE',
    path,
    permission: 'associates',
    ...only,
    async handle({ caller }) {
      current()
      await replace(caller.user, (slot) => ({ requestedKey: slot.requestedKey }))
      return { status: 204 }
    },
  })
  return [
    route({
      method: 'GET',
      path,
      permission: 'all',
      handle({ headers }) {
        const owned = current()
        if (!/application\/pkix-cert/i.test(headers.accept ?? '')) return { status: 200, body: describeCertificate(owned) }
        return {
          status: 200,
          body: new X509Certificate(owned.certificate).raw,
          type: 'application/octet-stream',
          headers: { 'content-disposition': `attachment;filename="${place.fileName}.der"` },
        }
      },
    }),
    route({
      method: 'POST',
      path,
      permission: 'associates',
      ...only,
      body: wish,
      async handle({ body, caller, url }) {
        const wanted = { ...body, keySize: body.keySize === 2048 ? 2048 : 4096 } as const
        if (body.type === 'selfsigned') {
          const life = { validityMs: body.validityInDays * dayMs, autoRenewal: body.autoRenewal }
          const made = await createSelfSigned(place.purpose, wanted, life, kept.clock)
          await replace(caller.user, (slot) => ({ ...slot, current: made }))
          return { status: 201, headers: { location: url(path) } }
        }
        const { request, slot } = await createRequest(place.purpose, wanted, kept.slot)
        await replace(caller.user, (before) => ({ ...before, requestedKey: slot.requestedKey }))
        return { status: 200, body: request, type: 'application/pkcs10' }
      },
    }),
    route({
      method: 'PATCH',
      path,
      permission: 'associates',
      ...only,
      upload: true,
      async handle({ caller, form, url }) {
        const pem = form.optionalText('signedCertificate') ?? ''
        // An older client sends the rest of the chain as a part of its own.
        const chain = form.optionalText('caCertificateChain') ?? ''
        if (pem === '') throw invalidRequest('the part "signedCertificate" is missing')
        await replace(caller.user, (slot) => acceptSigned(`${pem}\n${chain}`, slot))
        return { status: 201, headers: { location: url(path) } }
      },
    }),
    route({
      method: 'PUT',
      path,
      permission: 'associates',
      ...only,
      upload: true,
      async handle({ caller, form }) {
        // An empty one is that of whoever left the field of a form empty.
        const keyPassword = form.optionalText('keyPassword') || undefined
        const slot = await acceptPkcs12(form.file('pkcs12'), { password: form.text('password'), keyPassword })
        await replace(caller.user, () => slot)
        return { status: 204 }
      },
    }),
    ...(place.removable ? [removal] : []),
  ]
}

function placeOnPremises(name: 'systemCertificate' | 'ppCaCertificate', purpose: CertificatePurpose, fileName: string): PlaceOnPremises {
  return {
    path: `/api/v1/configuration/connector/onPremises/${name}`,
    purpose,
    fileName,
    removable: true,
    only: 'master',
    get: (document) => document.onPremises[name],
    set: (document, slot) => ({ ...document, onPremises: { ...document.onPremises, [name]: slot } }),
  }
}
