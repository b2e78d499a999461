import { createPrivateKey } from 'node:crypto'
import { type Clock, ConnectivityError } from '@sallyport/core'
import {
  addSubjectRule,
  createCertificateIssuer,
  deleteSubjectRule,
  formatCondition,
  type LeafKey,
  moveSubjectRule,
  parsePropagationSettings,
  replaceSubjectRule,
  type SubjectRule,
  subjectFields,
} from '@sallyport/principal-propagation'
import { type CertificateAuthority, formatPem, parsePemCertificates } from '@sallyport/x509'
import { z } from 'zod'
import type { ConfigurationEditor } from '../document/configuration-editor.ts'
import type { OnPremisesSettings, OwnedCertificate } from '../document/on-premises.ts'
import { conflict, invalidRequest } from './rest-error.ts'
import { type Route, route } from './route.ts'
import { tolerantInteger } from './tolerant-values.ts'

const base = '/api/v1/configuration/connector/onPremises'

/** What the routes of principal propagation work on. */
interface PropagationOptions {
  readonly editor: ConfigurationEditor
  readonly clock: Clock
  /** What user certificates of the connector carry, and therefore samples. */
  readonly leafKey: LeafKey
}

/** Validity of user certificates, and the rules by which tokens become subjects (cloud-connector.md §8.6, principal-propagation.md §6). */
export function principalPropagation(options: PropagationOptions): readonly Route[] {
  return [...settingsRoutes(options.editor), ...ruleRoutes(options)]
}

function settingsRoutes(editor: ConfigurationEditor): readonly Route[] {
  const path = `${base}/ppSettings`
  const current = (): { readonly expirationToleranceInHr: number; readonly certificateValidityInMin: number } => {
    const { certificateValidityInMin, expirationToleranceInHr } = editor.document.onPremises
    return { expirationToleranceInHr, certificateValidityInMin }
  }
  const whole = tolerantInteger(0, 1_000_000)
  return [
    route({ method: 'GET', path, permission: 'all', handle: () => ({ status: 200, body: current() }) }),
    ...(['PUT', 'PATCH'] as const).map((method) =>
      route({
        method,
        path,
        permission: 'edit',
        only: 'master',
        body: z.object({ expirationToleranceInHr: whole.optional(), certificateValidityInMin: whole.optional() }),
        async handle({ body, caller }) {
          const settings = refusing(() => (method === 'PUT' ? parsePropagationSettings(body) : parsePropagationSettings(body, current())))
          await editor.change(caller.user, (document) => ({ ...document, onPremises: { ...document.onPremises, ...settings } }))
          return { status: 204 }
        },
      }),
    ),
  ]
}

const text = z.string().max(2048).optional()

const ruleBody = z.object({
  description: text,
  condition: z
    .object({ variable: z.string(), operator: z.enum(['exist', 'exist_not', 'is', 'is_not']), value: z.string().optional() })
    .optional(),
  subjectPattern: z.object({ CN: z.string(), EMAIL: text, L: text, OU: text, O: text, ST: text, C: text }),
})

function ruleRoutes({ clock, editor, leafKey }: PropagationOptions): readonly Route[] {
  const path = `${base}/subjectPatternRules`
  const change = (user: string, edit: (rules: readonly SubjectRule[]) => readonly SubjectRule[]): Promise<unknown> =>
    editor.change(user, (document) => ({
      ...document,
      onPremises: { ...document.onPremises, subjectPatternRules: refusing(() => edit(document.onPremises.subjectPatternRules)) },
    }))
  return [
    route({
      method: 'GET',
      path,
      permission: 'all',
      handle: () => ({ status: 200, body: editor.document.onPremises.subjectPatternRules.map(describeRule) }),
    }),
    route({
      method: 'POST',
      path,
      permission: 'associates',
      only: 'master',
      body: ruleBody,
      async handle({ body, caller, url }) {
        if (body.condition === undefined) throw invalidRequest('condition: is missing; only the default rule is without')
        const at = editor.document.onPremises.subjectPatternRules.length - 1
        await change(caller.user, (rules) => addSubjectRule(rules, toRule(body)))
        return { status: 201, headers: { location: url(`${path}/${at}`) } }
      },
    }),
    route({
      method: 'PUT',
      path: `${path}/:index`,
      permission: 'associates',
      only: 'master',
      body: ruleBody,
      async handle({ body, caller, params }) {
        await change(caller.user, (rules) => replaceSubjectRule(rules, indexOf(params), toRule(body)))
        return { status: 204 }
      },
    }),
    route({
      method: 'DELETE',
      path: `${path}/:index`,
      permission: 'associates',
      only: 'master',
      async handle({ caller, params }) {
        await change(caller.user, (rules) => deleteSubjectRule(rules, indexOf(params)))
        return { status: 204 }
      },
    }),
    route({
      method: 'POST',
      path: `${path}/:index/move`,
      permission: 'associates',
      only: 'master',
      body: z.object({ position: tolerantInteger(0, 10_000) }),
      async handle({ body: { position }, caller, params }) {
        await change(caller.user, (rules) => moveSubjectRule(rules, indexOf(params), position))
        return { status: 200 }
      },
    }),
    route({
      method: 'GET',
      path: `${path}/:index/sampleCertificate`,
      permission: 'associates',
      async handle({ headers, params, query }) {
        const sample = await sampleCertificate(editor.document.onPremises, { clock, leafKey }, indexOf(params), query)
        const pem = /application\/x-pem-file/i.test(headers.accept ?? '')
        return {
          status: 200,
          body: pem ? formatPem('CERTIFICATE', sample) : sample,
          type: pem ? 'application/x-pem-file' : 'application/octet-stream',
          headers: { 'content-disposition': `attachment;filename="scc_sample_cert.${pem ? 'pem' : 'der'}"` },
        }
      },
    }),
  ]
}

async function sampleCertificate(
  { certificateValidityInMin, ppCaCertificate, subjectPatternRules }: OnPremisesSettings,
  { clock, leafKey }: Pick<PropagationOptions, 'clock' | 'leafKey'>,
  index: number,
  variables: Readonly<Record<string, string>>,
): Promise<Buffer> {
  if (ppCaCertificate.current === undefined) throw conflict('there is no CA certificate that could sign a sample')
  const issuer = createCertificateIssuer({
    authority: toAuthority(ppCaCertificate.current),
    rules: subjectPatternRules,
    validityMinutes: certificateValidityInMin,
    clock,
    leafKey,
  })
  return await issuer.sample(index, variables).catch((error: unknown) => {
    if (!ConnectivityError.is(error)) throw error
    throw error.code === 'PRINCIPAL_NOT_ISSUED' ? conflict(error.message) : invalidRequest(error.message)
  })
}

function toAuthority({ certificate, key }: OwnedCertificate): CertificateAuthority {
  const [first = Buffer.alloc(0)] = parsePemCertificates(certificate)
  return { certificate: first, privateKey: createPrivateKey(key) }
}

/** A rule as it is shown. */
export function describeRule({ condition, description, pattern }: SubjectRule): Readonly<Record<string, unknown>> {
  return {
    ...(description === undefined ? {} : { description }),
    condition: formatCondition(condition),
    subjectPattern: Object.fromEntries(subjectFields.flatMap((field) => (pattern[field] ? [[field, pattern[field]]] : []))),
  }
}

function toRule({ condition, description, subjectPattern }: z.output<typeof ruleBody>): SubjectRule {
  return { description, condition, pattern: subjectPattern }
}

function indexOf(params: Readonly<Record<string, string>>): number {
  const { index = '' } = params
  if (!/^\d{1,5}$/.test(index)) throw invalidRequest(`"${index.slice(0, 20)}" is not the number of a rule`)
  return Number(index)
}

/** What the rules of principal propagation refuse is a bad request. */
function refusing<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw ConnectivityError.is(error) && error.code === 'MESSAGE_INVALID' ? invalidRequest(error.message) : error
  }
}
