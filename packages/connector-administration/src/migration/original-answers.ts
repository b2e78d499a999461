import { ConnectivityError } from '@sallyport/core'
import { maxMigratedAnswers } from '../limits.ts'

/** What an original says of itself: the bodies of its REST API by path. JSON is parsed; certificates are PEM. */
export type OriginalAnswers = ReadonlyMap<string, unknown>

/** Asks an original. Settles with the status also when it refuses. */
export type AskOriginal = (path: string, accept: string) => Promise<{ readonly status: number; readonly body: Buffer }>

/** Paths of what is asked, by what is asked. */
export const originalPaths = {
  connector: '/api/v1/configuration/connector',
  proxy: '/api/v1/configuration/connector/proxy',
  truststore: '/api/v1/configuration/connector/onPremises/truststore',
  trustedCertificates: '/api/v1/configuration/connector/onPremises/truststore/certificates',
  ppSettings: '/api/v1/configuration/connector/onPremises/ppSettings',
  subjectPatternRules: '/api/v1/configuration/connector/onPremises/subjectPatternRules',
  systemCertificate: '/api/v1/configuration/connector/onPremises/systemCertificate',
  ppCaCertificate: '/api/v1/configuration/connector/onPremises/ppCaCertificate',
  uiCertificate: '/api/v1/configuration/connector/ui/uiCertificate',
  authentication: '/api/v1/configuration/connector/authentication',
  alerting: '/api/v1/configuration/connector/alerting',
  email: '/api/v1/configuration/connector/email',
  auditLog: '/api/v1/configuration/connector/auditLog',
  highAvailability: '/api/v1/configuration/connector/ha/master/config',
  subaccounts: '/api/v1/configuration/subaccounts',
} as const

/** Path of a subaccount, with what stands below it. */
export function originalSubaccountPath(
  key: { readonly regionHost: string; readonly subaccount: string },
  ...below: readonly string[]
): string {
  return [originalPaths.subaccounts, ...[key.regionHost, key.subaccount, ...below].map(encodeURIComponent)].join('/')
}

/** Path of the audit level of a subaccount. */
export function originalAuditPath(key: { readonly regionHost: string; readonly subaccount: string }): string {
  return `${originalPaths.auditLog}/subaccounts/${encodeURIComponent(key.regionHost)}/${encodeURIComponent(key.subaccount)}`
}

export const originalChannelTypes = ['HANA', 'VirtualMachine', 'ABAPCloud', 'ABAPCloudSNC', 'K8S'] as const

/**
 * Asks a running original for everything that its documented REST API tells. What it does not have (404), or is too old for (405), is left out; a refusal ends it.
 *
 * @throws ConnectivityError `ACCESS_DENIED` when it refuses the user; `MESSAGE_INVALID` for an answer that is none, and for more than can be taken.
 */
export async function collectOriginalAnswers(ask: AskOriginal): Promise<OriginalAnswers> {
  const answers = new Map<string, unknown>()
  const get = async (path: string, accept = 'application/json'): Promise<unknown> => {
    if (answers.size >= maxMigratedAnswers)
      throw new ConnectivityError('MESSAGE_INVALID', `the original has more than ${maxMigratedAnswers} entities`)
    const { body, status } = await ask(path, accept)
    if (status === 401 || status === 403)
      throw new ConnectivityError('ACCESS_DENIED', `the original refuses ${path} to this user (${status})`, {
        details: { next: 'use an administrator, on the master of a pair' },
      })
    if (status >= 400) return undefined
    const value = accept === 'application/json' ? parseAnswer(body, path) : body.toString('utf8')
    answers.set(path, value)
    return value
  }
  for (const [name, path] of Object.entries(originalPaths)) if (name !== 'trustedCertificates') await get(path)
  await get(originalPaths.trustedCertificates, 'application/x-pem-file')
  if (!answers.has(originalPaths.subaccounts))
    throw new ConnectivityError('MESSAGE_INVALID', 'the answers are not those of a cloud connector: it has no list of subaccounts')
  for (const key of listOf(answers.get(originalPaths.subaccounts)).flatMap((entry) => subaccountOf(entry) ?? [])) {
    await get(originalSubaccountPath(key))
    await get(originalAuditPath(key))
    for (const below of ['trust', 'domainMappings']) await get(originalSubaccountPath(key, below))
    await get(originalSubaccountPath(key, 'trust', 'idps'))
    for (const type of originalChannelTypes) await get(originalSubaccountPath(key, 'channels', type))
    for (const mapping of listOf(await get(originalSubaccountPath(key, 'systemMappings')))) {
      const virtual = virtualNameIn(mapping)
      if (virtual !== undefined) await get(originalSubaccountPath(key, 'systemMappings', virtual, 'resources'))
    }
  }
  return answers
}

/** The items of a list; none for anything else. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** Region host and subaccount of an item of the list of subaccounts. */
export function subaccountOf(entry: unknown): { readonly regionHost: string; readonly subaccount: string } | undefined {
  const regionHost = memberOf(entry, 'regionHost')
  const subaccount = memberOf(entry, 'subaccount')
  return typeof regionHost === 'string' && typeof subaccount === 'string' ? { regionHost, subaccount } : undefined
}

/** `host:port` of a mapping. */
export function virtualNameIn(mapping: unknown): string | undefined {
  const host = memberOf(mapping, 'virtualHost')
  const port = memberOf(mapping, 'virtualPort')
  return typeof host === 'string' && (typeof port === 'string' || typeof port === 'number') ? `${host}:${port}` : undefined
}

/** A member of an object as text: that of texts and numbers, and the empty one of anything else. */
export function textOf(value: unknown, name: string): string {
  const member = memberOf(value, name)
  return typeof member === 'string' || typeof member === 'number' ? String(member) : ''
}

/** A member of an object; `undefined` for anything else. */
export function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined
}

function parseAnswer(body: Buffer, path: string): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    // What was sent may be a page, and says nothing here.
    throw new ConnectivityError('MESSAGE_INVALID', `the answer to ${path} is not JSON; is this the address of a cloud connector?`)
  }
}
