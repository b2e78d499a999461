import { backendProtocols, backendTypes, principalTypes } from '@sallyport/admin-api'
import type { Clock } from '@sallyport/core'
import { z } from 'zod'
import { type AdministeredMapping, isUnread } from '../document/administered-mapping.ts'
import type { SubaccountKey } from '../document/administered-subaccount.ts'
import type { ConfigurationEditor } from '../document/configuration-editor.ts'
import { editMapping, findMapping, virtualNameOf } from '../document/edit-mapping.ts'
import { editSubaccount, findSubaccount } from '../document/edit-subaccount.ts'
import { blockedUserList, clientList } from './authority-values.ts'
import { conflict, invalidRequest } from './rest-error.ts'
import { type Call, type Route, route } from './route.ts'
import {
  type IsLocked,
  mappingKeyOf,
  mappingPath,
  pathOfMapping,
  requireChangeable,
  subaccountKeyOf,
  subaccountPath,
} from './subaccount-path.ts'
import { tolerantBoolean, tolerantText } from './tolerant-values.ts'

/** What the routes of access control work on. */
export interface AccessControlOptions {
  readonly editor: ConfigurationEditor
  readonly clock: Clock
  readonly isLocked: IsLocked
  /** Hears of a mapping that was made or changed. Nobody waits for what it does. */
  readonly onSaved: (key: SubaccountKey, mapping: AdministeredMapping) => void
}

/** A text that is absent when it is empty. */
const optionalText = (length: number): z.ZodType<string | undefined> =>
  z
    .string()
    .max(length)
    .nullish()
    .transform((text) => (text === '' || text === null ? undefined : text))

/** A text that is shown as it was sent, also when it is empty. */
const shownText = (length: number): z.ZodType<string | undefined> =>
  z
    .string()
    .max(length)
    .nullish()
    .transform((text) => text ?? undefined)

const body = z.object({
  virtualHost: z.string().min(1).max(255),
  virtualPort: tolerantText(32),
  localHost: z.string().min(1).max(255),
  localPort: tolerantText(32),
  protocol: z.enum(backendProtocols),
  backendType: z.enum(backendTypes),
  authenticationMode: z.enum(principalTypes).default('NONE'),
  // In one case or the other, not in both.
  hostInHeader: z
    .enum(['VIRTUAL', 'INTERNAL', 'virtual', 'internal', ''])
    .nullish()
    .transform((text) => (text?.toUpperCase() === 'INTERNAL' ? 'INTERNAL' : 'VIRTUAL')),
  sid: shownText(3).refine((sid) => sid === undefined || sid === '' || /^[A-Z][A-Z0-9]{2}$/.test(sid), 'is not a system ID such as ABC'),
  description: shownText(1024),
  sapRouter: optionalText(4096),
  sncPartnerName: optionalText(1024),
  passUnread: tolerantBoolean.nullish().transform((value) => value ?? undefined),
  allowedClients: clientList.nullish(),
  blacklistedUsers: blockedUserList.nullish(),
})

/** System mappings (cloud-connector.md §8.9). */
export function systemMappings({ clock, editor, isLocked, onSaved }: AccessControlOptions): readonly Route[] {
  const subaccountOf = ({ params }: Pick<Call<unknown>, 'params'>) => findSubaccount(editor.document, subaccountKeyOf(params))
  const collection = `${subaccountPath}/systemMappings`
  return [
    route({
      method: 'GET',
      path: collection,
      permission: 'all',
      handle: (call) => ({
        status: 200,
        body: subaccountOf(call).systemMappings.map((mapping) => renderMapping(subaccountKeyOf(call.params), mapping, call.url)),
      }),
    }),
    route({
      method: 'POST',
      path: collection,
      permission: 'edit',
      only: 'master',
      body,
      async handle({ body: given, caller, params, url }) {
        const key = subaccountKeyOf(params)
        const mapping = toMapping(given, { creationDateMs: clock.now(), resources: [] })
        await editor.change(caller.user, (document) => {
          const { systemMappings: known } = requireChangeable(document, key, caller, isLocked)
          const name = virtualNameOf(mapping)
          if (known.some((other) => virtualNameOf(other).toLowerCase() === name.toLowerCase()))
            throw conflict(`System mapping with value '${name}' exists already`, 'INVALID_CONFIGURATION')
          return editSubaccount(document, key, (entry) => ({ ...entry, systemMappings: [...entry.systemMappings, mapping] }))
        })
        onSaved(key, mapping)
        return { status: 201, headers: { location: url(pathOfMapping(key, mapping)) } }
      },
    }),
    route({
      method: 'DELETE',
      path: collection,
      permission: 'edit',
      only: 'master',
      async handle({ caller, params }) {
        await editor.change(caller.user, (document) => {
          requireChangeable(document, subaccountKeyOf(params), caller, isLocked)
          return editSubaccount(document, subaccountKeyOf(params), (entry) => ({ ...entry, systemMappings: [] }))
        })
        return { status: 204 }
      },
    }),
    route({
      method: 'GET',
      path: mappingPath,
      permission: 'all',
      handle(call) {
        const mapping = findMapping(subaccountOf(call), mappingKeyOf(call.params).virtual)
        return { status: 200, body: renderMapping(subaccountKeyOf(call.params), mapping, call.url) }
      },
    }),
    route({
      method: 'PUT',
      path: mappingPath,
      permission: 'edit',
      only: 'master',
      body,
      async handle({ body: given, caller, params }) {
        const key = mappingKeyOf(params)
        await editor.change(caller.user, (document) => {
          requireChangeable(document, key, caller, isLocked)
          return editMapping(document, key, (before) => replaced(before, toMapping(given, before)))
        })
        onSaved(key, findMapping(findSubaccount(editor.document, key), key.virtual))
        return { status: 204 }
      },
    }),
    route({
      method: 'DELETE',
      path: mappingPath,
      permission: 'edit',
      only: 'master',
      async handle({ caller, params }) {
        const { virtual, ...key } = mappingKeyOf(params)
        await editor.change(caller.user, (document) => {
          const gone = findMapping(requireChangeable(document, key, caller, isLocked), virtual)
          return editSubaccount(document, key, (entry) => ({
            ...entry,
            systemMappings: entry.systemMappings.filter((mapping) => mapping !== gone),
          }))
        })
        return { status: 204 }
      },
    }),
  ]
}

function toMapping(given: z.output<typeof body>, kept: Pick<AdministeredMapping, 'creationDateMs' | 'resources'>): AdministeredMapping {
  const { allowedClients, blacklistedUsers, protocol, ...rest } = given
  const { creationDateMs, resources } = kept
  if (protocol !== 'RFC' && [...(allowedClients ?? []), ...(blacklistedUsers ?? [])].length > 0)
    throw invalidRequest(`clients and users are known in RFC mappings only, not in ${protocol}`)
  if (given.passUnread === true && !isUnread(protocol))
    throw invalidRequest(`passUnread is for RFCS and RFCWS mappings, whose contents cannot be read, not for ${protocol}`)
  return {
    ...rest,
    protocol,
    allowedClients: allowedClients ?? [],
    blacklistedUsers: blacklistedUsers ?? [],
    creationDateMs,
    resources,
  }
}

/** @throws RestError 400 for what cannot be changed in place. */
function replaced(before: AdministeredMapping, after: AdministeredMapping): AdministeredMapping {
  if (virtualNameOf(before).toLowerCase() !== virtualNameOf(after).toLowerCase())
    throw invalidRequest('virtual host and virtual port of a mapping cannot be changed; delete it and make another')
  if ((before.localPort.includes('-') || after.localPort.includes('-')) && before.localPort !== after.localPort)
    throw invalidRequest('a port range cannot be changed; delete the mapping and make another')
  if (before.resources.length > 0 && kindOfResources(before) !== kindOfResources(after))
    throw invalidRequest(`the resources of the mapping are of no use for ${after.protocol}; delete them first`)
  // Clients of the original do not know the property: what they replace keeps it.
  const passUnread = after.passUnread ?? (before.protocol === after.protocol ? before.passUnread : undefined)
  // Counted from the mapping that stands there, in its own spelling.
  return { ...after, passUnread, virtualHost: before.virtualHost, virtualPort: before.virtualPort }
}

/** What the resources of a mapping are, if it has any. */
export function kindOfResources({ protocol }: Pick<AdministeredMapping, 'protocol'>): 'paths' | 'functions' | undefined {
  if (protocol === 'HTTP' || protocol === 'HTTPS') return 'paths'
  return protocol === 'RFC' || protocol === 'RFCS' || protocol === 'RFCWS' ? 'functions' : undefined
}

function renderMapping(key: SubaccountKey, mapping: AdministeredMapping, url: (path: string) => string): unknown {
  const { description, resources, sapRouter, sid, sncPartnerName } = mapping
  const self = pathOfMapping(key, mapping)
  return {
    virtualHost: mapping.virtualHost,
    virtualPort: mapping.virtualPort,
    localHost: mapping.localHost,
    localPort: mapping.localPort,
    creationDate: String(mapping.creationDateMs),
    protocol: mapping.protocol,
    backendType: mapping.backendType,
    hostInHeader: mapping.hostInHeader,
    ...(sid === undefined ? {} : { sid }),
    totalResourcesCount: resources.length,
    enabledResourcesCount: resources.filter(({ enabled }) => enabled).length,
    ...(description === undefined ? {} : { description }),
    ...(sapRouter === undefined ? {} : { sapRouter }),
    ...(sncPartnerName === undefined ? {} : { sncPartnerName }),
    ...(isUnread(mapping.protocol) ? { passUnread: mapping.passUnread ?? false } : {}),
    authenticationMode: mapping.authenticationMode,
    allowedClients: mapping.allowedClients,
    blacklistedUsers: mapping.blacklistedUsers,
    _links: { self: { href: url(self) }, resources: { href: url(`${self}/resources`) } },
  }
}
