import { z } from 'zod'
import { requireAudit } from '../entities/change-record.ts'
import { type Answer, malformed, refuse } from '../http/answer.ts'
import { apiRoot, type Route } from '../http/route.ts'
import type { ServiceContext, ServiceRequest } from '../http/service-request.ts'
import { samlMetadata } from './saml-metadata.ts'
import type { TrustRole } from './trust-repository.ts'

const root = `${apiRoot}/v1/saml2Metadata`

const tag = 'Trust'
const one = z.object({ certificate: z.string().describe('PEM') })
const both = z.object({ activeCertificate: z.string(), passiveCertificate: z.string() })

/** The trust of the caller's subaccount: its key pairs, and what others need to know of them. */
export const trustRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: root,
    description: {
      tag,
      summary: 'Metadata to be imported by target systems, with the active certificate and the passive one if there is one',
      answers: { 200: { description: 'Base64 of the XML', body: z.object({ idpMetadata: z.string() }) } },
      refusals: [404],
    },
    answer: getMetadata,
  },
  ...(['active', 'passive'] as const).flatMap((role): readonly Route[] => [
    {
      method: 'GET',
      path: pathOf(role),
      description: {
        tag,
        summary: `The ${role} certificate`,
        answers: { 200: { description: 'The certificate', body: one } },
        refusals: [404],
      },
      answer: (request, context) => getCertificate(request, context, role),
    },
    {
      method: 'POST',
      path: pathOf(role),
      description: {
        tag,
        summary: `Generates the ${role} key pair, or another one in its place; takes some seconds`,
        answers: { 200: { description: 'Its certificate', body: one } },
        refusals: role === 'passive' ? [404] : [],
      },
      answer: (request, context) => generate(request, context, role),
    },
  ]),
  {
    method: 'DELETE',
    path: pathOf('passive'),
    description: {
      tag,
      summary: 'Deletes the passive key pair',
      answers: { 200: { description: 'Deleted', body: z.object({ Count: z.number() }) } },
      refusals: [404],
    },
    answer: removePassive,
  },
  {
    method: 'POST',
    path: `${root}/rotateCertificate`,
    description: {
      tag,
      summary: 'The active and the passive key pair change roles, at once',
      answers: { 200: { description: 'The certificates in their new roles', body: both } },
      refusals: [404],
    },
    answer: rotate,
  },
]

function pathOf(role: TrustRole): string {
  return role === 'active' ? `${root}/certificate` : `${root}/certificate/passive`
}

async function getMetadata({ caller }: ServiceRequest, { trust }: ServiceContext): Promise<Answer> {
  const pairs = await trust.find(caller.subaccountId)
  if (pairs === undefined) return absent(caller.subaccountId, 'active')
  return { status: 200, body: { idpMetadata: Buffer.from(samlMetadata(pairs)).toString('base64') } }
}

async function getCertificate({ caller }: ServiceRequest, { trust }: ServiceContext, role: TrustRole): Promise<Answer> {
  const pair = (await trust.find(caller.subaccountId))?.[role]
  return pair === undefined ? absent(caller.subaccountId, role) : { status: 200, body: { certificate: pair.certificate } }
}

async function generate(request: ServiceRequest, context: ServiceContext, role: TrustRole): Promise<Answer> {
  requireEmptyBody(request)
  requireAudit(context)
  const { subaccountId } = request.caller
  const pair = await context.trust.generate(subaccountId, role)
  if (pair === undefined) return absent(subaccountId, 'active')
  await record(request, context, `${role} trust key pair generated`)
  return { status: 200, body: { certificate: pair.certificate } }
}

async function removePassive(request: ServiceRequest, context: ServiceContext): Promise<Answer> {
  requireAudit(context)
  const { subaccountId } = request.caller
  if (!(await context.trust.removePassive(subaccountId))) return absent(subaccountId, 'passive')
  await record(request, context, 'passive trust key pair deleted')
  return { status: 200, body: { Count: 1 } }
}

async function rotate(request: ServiceRequest, context: ServiceContext): Promise<Answer> {
  requireEmptyBody(request)
  requireAudit(context)
  const { subaccountId } = request.caller
  const pairs = await context.trust.rotate(subaccountId)
  if (pairs === undefined) return absent(subaccountId, 'passive')
  await record(request, context, 'trust key pairs rotated')
  return { status: 200, body: { activeCertificate: pairs.active.certificate, passiveCertificate: pairs.passive?.certificate } }
}

/** The texts that SAP's service answers. */
function absent(subaccountId: string, role: TrustRole): Answer {
  return refuse(404, `${role === 'active' ? 'Keypair' : 'Passive Keypair'} for subaccount - ${subaccountId} does not exist`)
}

function requireEmptyBody({ body }: ServiceRequest): void {
  if (body !== undefined) throw malformed('Request body should be empty!')
}

async function record({ caller, correlationId, log }: ServiceRequest, { audit }: ServiceContext, message: string): Promise<void> {
  const { subaccountId: subaccount, user } = caller
  log.info({ subaccount, change: message }, 'trust changed')
  audit?.write({ type: 'configuration-changed', subaccount, category: 'Trust', user, message, correlationId })
  await audit?.flushed()
}
