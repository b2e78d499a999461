import { alertingSettingsSchema, auditLogSettingsSchema, emailSettingsSchema } from '@sallyport/admin-api'
import { acceptConnectors } from '@sallyport/cloud-connector'
import { checkSubjectRules, defaultSubjectRules, type SubjectRule } from '@sallyport/principal-propagation'
import { z } from 'zod'
import { type AdministeredDocument, administeredDocumentSchema } from '../document/administered-document.ts'
import type { AdministeredSubaccount } from '../document/administered-subaccount.ts'
import { renderConnectors } from '../document/administered-source.ts'
import type { TrustedCertificate } from '../document/trust-store.ts'
import { checkBody } from '../rest/check-body.ts'
import { tolerantInteger } from '../rest/tolerant-values.ts'
import { messageOf } from './migrated-mapping.ts'
import { migrateSubaccount } from './migrated-subaccount.ts'
import { createMigrationNotes, type MigrationNotes, type MigrationReport } from './migration-report.ts'
import { listOf, memberOf, type OriginalAnswers, originalPaths, subaccountOf, textOf } from './original-answers.ts'

/** An original as one of our documents, with a report. */
export interface Migration {
  readonly document: AdministeredDocument
  readonly report: MigrationReport
}

/**
 * Makes a document of what an original says of itself. Whatever cannot be understood is left out and noted; nothing becomes more permissive by that.
 *
 * @throws ConnectivityError `CONFIGURATION_INVALID` when what remains contradicts itself, such as port ranges of mappings that overlap.
 */
export function migrateAnswers(
  answers: OriginalAnswers,
  options: { readonly nowMs: number; readonly unread?: readonly string[] },
): Migration {
  const notes = createMigrationNotes()
  const keys = new Map(
    listOf(answers.get(originalPaths.subaccounts))
      .flatMap((entry) => subaccountOf(entry) ?? [])
      .map((key) => [`${key.regionHost.toLowerCase()} ${key.subaccount}`, key]),
  )
  const subaccounts = [...keys.values()].flatMap((key): readonly AdministeredSubaccount[] => {
    const entry = migrateSubaccount(key, answers, { nowMs: options.nowMs, notes })
    return entry === undefined ? [] : [entry]
  })
  const certificates = trustedCertificates(answers.get(originalPaths.trustedCertificates), answers.get(originalPaths.truststore), notes)
  const { rules, taken } = subjectRules(answers.get(originalPaths.subjectPatternRules), notes)
  const settings = administeredDocumentSchema.parse({
    connector: { description: textOf(answers.get(originalPaths.connector), 'description').slice(0, 1024) },
    onPremises: {
      trustAllBackends: memberOf(answers.get(originalPaths.truststore), 'trustAllBackends') === true,
      trustedBackends: certificates,
      nextTrustedBackend: certificates.length,
      ...take('principal propagation', notes, propagation, answers.get(originalPaths.ppSettings)),
      subjectPatternRules: rules,
    },
    reporting: {
      alerting: take('alerts', notes, alertingSettingsSchema, answers.get(originalPaths.alerting)),
      email: take('e-mail', notes, email, answers.get(originalPaths.email)),
      auditLog: take('audit log', notes, auditLog, answers.get(originalPaths.auditLog)),
    },
  })
  noteWhatIsSecret(answers, notes)
  const document = { ...settings, subaccounts }
  acceptConnectors(renderConnectors(document), 'migration')
  const sum = (count: (entry: AdministeredSubaccount) => number): number => subaccounts.reduce((all, entry) => all + count(entry), 0)
  return {
    document,
    report: {
      taken: {
        subaccounts: subaccounts.length,
        systemMappings: sum(({ systemMappings }) => systemMappings.length),
        resources: sum(({ systemMappings }) => systemMappings.reduce((all, { resources }) => all + resources.length, 0)),
        domainMappings: sum(({ domainMappings }) => domainMappings.length),
        channels: sum(({ channels }) => channels.length),
        trustedCertificates: certificates.length,
        subjectPatternRules: taken,
      },
      leftOut: notes.leftOut,
      byHand: notes.byHand,
      unread: options.unread ?? [],
    },
  }
}

const propagation = z.object({ expirationToleranceInHr: tolerantInteger(1, 336), certificateValidityInMin: tolerantInteger(1, 43_200) })
const auditLog = z.looseObject({}).transform(({ level, cleanup }, context) => {
  const read = auditLogSettingsSchema.safeParse({ level, cleanup })
  if (read.success) return read.data
  context.addIssue({ code: 'custom', message: 'level or cleanup is unknown' })
  return z.NEVER
})
const email = z.looseObject({}).transform(({ smtpPassword: _secret, ...answer }, context) => {
  const read = emailSettingsSchema.safeParse(answer)
  if (read.success) return read.data
  context.addIssue({ code: 'custom', message: read.error.issues.map(({ message, path }) => `${path.join('.')} ${message}`).join('; ') })
  return z.NEVER
})

/** What was answered, as a schema has it; `undefined` when it was not answered, and noted when it cannot be used. */
function take<Output>(what: string, notes: MigrationNotes, schema: z.ZodType<Output>, answer: unknown): Output | undefined {
  if (answer === undefined) return undefined
  try {
    return checkBody(schema, answer)
  } catch (error) {
    notes.leaveOut(what, messageOf(error))
    return undefined
  }
}

function trustedCertificates(pem: unknown, store: unknown, notes: MigrationNotes): readonly TrustedCertificate[] {
  const blocks = typeof pem === 'string' ? (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []) : []
  const listed = listOf(memberOf(store, 'trustedBackends') ?? memberOf(store, 'trustedBackendSystems'))
  if (blocks.length < listed.length)
    notes.askFor(
      'trusted back ends',
      `${listed.length} certificates are listed, and ${blocks.length} could be taken; upload the others again`,
    )
  return blocks.slice(0, 1000).map((block, at) => ({ alias: `trustedbackend.${at}.0`, certificate: `${block}\n` }))
}

const conditionPattern = /^(\S+) (?:(is not|is) (.+)|(exists|does not exist))$/s

/** Closes a list whose end is unknown: no token has this variable, so that nobody becomes another subject than before. */
const nobody: SubjectRule = { description: 'to be written again, see the report', pattern: { CN: '${rules-that-were-not-migrated}' } }

/** The rules up to the first one that cannot be taken. Those after it would decide about its people, too, and are left out. */
function subjectRules(answer: unknown, notes: MigrationNotes): { readonly rules: readonly SubjectRule[]; readonly taken: number } {
  // Those of a new original.
  if (answer === undefined) return { rules: defaultSubjectRules, taken: defaultSubjectRules.length }
  const rules: SubjectRule[] = []
  const given = listOf(answer)
  for (const [at, each] of given.entries()) {
    const rule = readRule(each)
    const [problem] =
      rule === undefined ? [] : checkSubjectRules(rule.condition === undefined ? [...rules, rule] : [...rules, rule, nobody])
    if (rule === undefined || problem !== undefined) {
      notes.leaveOut(`subject pattern rule ${at}`, problem?.message ?? 'its condition or its pattern cannot be read')
      for (let later = at + 1; later < given.length; later++)
        notes.leaveOut(`subject pattern rule ${later}`, `it would decide instead of rule ${at}`)
      break
    }
    rules.push(rule)
    if (rule.condition === undefined) return { rules, taken: rules.length }
  }
  notes.askFor(
    'subject pattern rules',
    `write those from number ${rules.length} on again, the default one too; until then users whom no rule before them applies to get no certificate`,
  )
  return { rules: [...rules, nobody], taken: rules.length }
}

function readRule(given: unknown): SubjectRule | undefined {
  const pattern = memberOf(given, 'subjectPattern')
  const condition = memberOf(given, 'condition')
  if (typeof pattern !== 'object' || pattern === null || typeof condition !== 'string') return undefined
  const description = memberOf(given, 'description')
  const parts = Object.entries(pattern).filter((part): part is [string, string] => typeof part[1] === 'string' && part[1] !== '')
  const rule = { pattern: Object.fromEntries(parts), ...(typeof description === 'string' ? { description } : {}) } as SubjectRule
  if (condition === 'always true') return rule
  const [matched, variable = '', comparison, value, existence] = conditionPattern.exec(condition) ?? []
  if (matched === undefined) return undefined
  if (comparison !== undefined) return { ...rule, condition: { variable, operator: comparison === 'is' ? 'is' : 'is_not', value } }
  return { ...rule, condition: { variable, operator: existence === 'exists' ? 'exist' : 'exist_not' } }
}

/** What the API of the original never tells, where it says that there is something. */
function noteWhatIsSecret(answers: OriginalAnswers, notes: MigrationNotes): void {
  const subjectOf = (path: string): string | undefined => {
    const subject = memberOf(answers.get(path), 'subjectDN')
    return typeof subject === 'string' ? subject : undefined
  }
  const certificates = [
    ['system certificate', originalPaths.systemCertificate, 'back ends that know the old one have to trust the new one'],
    [
      'CA certificate for principal propagation',
      originalPaths.ppCaCertificate,
      'back ends have to trust it; generate a new one, or import the old one as PKCS #12',
    ],
    ['certificate of the administration', originalPaths.uiCertificate, 'clients that pinned the old one have to learn the new one'],
  ] as const
  for (const [what, path, note] of certificates) {
    const subject = subjectOf(path)
    if (subject !== undefined) notes.askFor(`${what} ${subject}`, `its key stays in the original; ${note}`)
  }
  const proxy = answers.get(originalPaths.proxy)
  const host = memberOf(proxy, 'host')
  if (typeof host === 'string' && host !== '')
    notes.askFor(`proxy ${host}:${textOf(proxy, 'port')}`, 'set it again, with its password if it has one')
  if (memberOf(answers.get(originalPaths.email), 'smtpUsername') !== undefined) notes.askFor('password of the mail server', 'set it again')
  if (memberOf(answers.get(originalPaths.authentication), 'type') === 'ldap') notes.askFor('directories of users', 'configure them again')
  if (memberOf(answers.get(originalPaths.highAvailability), 'haEnabled') === true)
    notes.askFor('pair of master and shadow', 'set it up again')
  notes.askFor(
    'what the API of the original does not tell',
    'users, Kerberos keytabs, regions of your own, connectivity settings, the application allowlist and scenarios of resources',
  )
}
