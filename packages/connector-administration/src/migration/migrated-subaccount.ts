import { localPortOf, serviceChannelSchema } from '@sallyport/admin-api'
import { z } from 'zod'
import type { AdministeredChannel } from '../document/administered-channel.ts'
import type { AdministeredMapping } from '../document/administered-mapping.ts'
import { type AdministeredSubaccount, administeredSubaccountSchema } from '../document/administered-subaccount.ts'
import { virtualNameOf } from '../document/edit-mapping.ts'
import { channelBodies } from '../rest/channel-bodies.ts'
import { checkBody } from '../rest/check-body.ts'
import { tolerantBoolean } from '../rest/tolerant-values.ts'
import { messageOf, migrateMapping } from './migrated-mapping.ts'
import type { MigrationNotes } from './migration-report.ts'
import {
  listOf,
  memberOf,
  type OriginalAnswers,
  originalAuditPath,
  originalChannelTypes,
  originalSubaccountPath,
  textOf,
  virtualNameIn,
} from './original-answers.ts'

const settings = z.object({
  displayName: z.string().max(200).nullish(),
  description: z.string().max(1024).nullish(),
  locationID: z.string().max(200).nullish(),
  locationId: z.string().max(200).nullish(),
  autoCertRenewal: tolerantBoolean.nullish(),
  isManaged: tolerantBoolean.nullish(),
})
const domains = z.object({ virtualDomain: z.string().min(1).max(255), internalDomain: z.string().min(1).max(255) })

/** One subaccount of an original, as one of ours; what is wrong in it is left out and noted, mapping by mapping. */
export function migrateSubaccount(
  key: { readonly regionHost: string; readonly subaccount: string },
  answers: OriginalAnswers,
  { nowMs, notes }: { readonly nowMs: number; readonly notes: MigrationNotes },
): AdministeredSubaccount | undefined {
  const name = `subaccount ${key.subaccount}`
  const attempt = <T>(what: string, work: () => T): T | undefined => {
    try {
      return work()
    } catch (error) {
      notes.leaveOut(what, messageOf(error))
      return undefined
    }
  }
  const below = (...parts: readonly string[]): unknown => answers.get(originalSubaccountPath(key, ...parts))
  const mappings = new Map<string, AdministeredMapping>()
  for (const answer of listOf(below('systemMappings'))) {
    const virtual = virtualNameIn(answer) ?? '(without a name)'
    const what = `${name}, mapping ${virtual}`
    const inline = memberOf(answer, 'resources')
    const resources = below('systemMappings', virtual, 'resources') ?? inline
    const found = attempt(what, () => migrateMapping(answer, listOf(resources), nowMs))
    if (found === undefined) continue
    if (mappings.has(virtual.toLowerCase())) notes.leaveOut(what, 'is there twice; the first one counts')
    else mappings.set(virtualNameOf(found.mapping).toLowerCase(), found.mapping)
    for (const left of found.leftOut) notes.leaveOut(what, left)
  }
  const distrusted = listOf(below('trust', 'idps')).filter((issuer) => memberOf(issuer, 'enabled') === false)
  const entry = attempt(name, () => {
    const { autoCertRenewal, description, displayName, isManaged, locationID, locationId } = checkBody(settings, below() ?? {})
    return administeredSubaccountSchema.parse({
      ...key,
      displayName: displayName ?? '',
      description: description ?? '',
      locationId: locationID ?? locationId ?? '',
      autoCertRenewal: autoCertRenewal ?? false,
      isManaged: isManaged ?? false,
      auditLevel: auditLevelOf(answers.get(originalAuditPath(key))),
      trust: {
        // Issuers are known by other names here: whoever was distrusted must not be trusted by following.
        automatic: distrusted.length === 0 && memberOf(below('trust'), 'autoSyncTrustEnabled') === true,
        untrustedIssuers: [],
      },
    })
  })
  if (entry === undefined) return undefined
  for (const issuer of distrusted)
    notes.askFor(
      `${name}, token issuer ${textOf(issuer, 'name') || textOf(issuer, 'id')}`,
      'was not trusted; switch it off after trust was synchronised once, and let it follow by itself only then',
    )
  notes.askFor(name, 'has to be added or paired anew: certificates of the original cannot be taken along')
  const channels = channelsOf(key, answers, attempt, name)
  return {
    ...entry,
    systemMappings: [...mappings.values()],
    domainMappings: listOf(below('domainMappings')).flatMap(
      (answer) => attempt(`${name}, cookie domain`, () => checkBody(domains, answer)) ?? [],
    ),
    channels,
    nextChannelId: channels.length + 1,
  }
}

function auditLevelOf(answer: unknown): AdministeredSubaccount['auditLevel'] {
  const level = textOf(answer, 'level').toUpperCase()
  return level === 'ALL' || level === 'OFF' ? level : 'SECURITY'
}

function channelsOf(
  key: { readonly regionHost: string; readonly subaccount: string },
  answers: OriginalAnswers,
  attempt: <T>(what: string, work: () => T) => T | undefined,
  name: string,
): readonly AdministeredChannel[] {
  const ports = new Set<number>()
  const found = originalChannelTypes.flatMap((type) =>
    listOf(answers.get(originalSubaccountPath(key, 'channels', type))).flatMap((answer) => {
      const what = `${name}, service channel ${type} ${textOf(answer, 'port')}`.trimEnd()
      const channel = attempt(what, () => {
        const body = checkBody(channelBodies[type], answer)
        // The original listens on every address of its machine.
        const read = checkBody(serviceChannelSchema, { host: '0.0.0.0', ...body, type, enabled: memberOf(answer, 'enabled') === true })
        if (ports.has(localPortOf(read))) throw new Error(`port ${localPortOf(read)} is that of another channel`)
        ports.add(localPortOf(read))
        return read
      })
      return channel ?? []
    }),
  )
  return found.map((channel, at) => ({ ...channel, id: at + 1 }))
}
