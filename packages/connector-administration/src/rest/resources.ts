import { z } from 'zod'
import type { AdministeredMapping, AdministeredResource } from '../document/administered-mapping.ts'
import type { SubaccountKey } from '../document/administered-subaccount.ts'
import { editMapping, findMapping, findResource } from '../document/edit-mapping.ts'
import { findSubaccount } from '../document/edit-subaccount.ts'
import { decodeResourceId } from './resource-id.ts'
import { conflict, invalidRequest } from './rest-error.ts'
import { type Call, type Route, route } from './route.ts'
import { mappingKeyOf, mappingPath, pathOfResource, requireChangeable } from './subaccount-path.ts'
import { type AccessControlOptions, kindOfResources } from './system-mappings.ts'
import { tolerantBoolean } from './tolerant-values.ts'

const settings = {
  enabled: tolerantBoolean.optional(),
  exactMatchOnly: tolerantBoolean.optional(),
  // The samples of the original write the second one.
  websocketUpgradeAllowed: tolerantBoolean.optional(),
  webSocketUpgradeAllowed: tolerantBoolean.optional(),
  description: z.string().max(1024).nullish(),
}
const changes = z.object(settings)
const creation = z.object({ id: z.string().min(1).max(4096), ...settings })

/** Resources of system mappings: paths and functions (cloud-connector.md §8.9). */
export function resources({ clock, editor, isLocked }: AccessControlOptions): readonly Route[] {
  const mappingOf = ({ params }: Pick<Call<unknown>, 'params'>): AdministeredMapping => {
    const key = mappingKeyOf(params)
    return findMapping(findSubaccount(editor.document, key), key.virtual)
  }
  const change = async (call: Call<unknown>, edit: (mapping: AdministeredMapping) => AdministeredMapping): Promise<void> => {
    const key = mappingKeyOf(call.params)
    await editor.change(call.caller.user, (document) => {
      requireChangeable(document, key, call.caller, isLocked)
      return editMapping(document, key, edit)
    })
  }
  const collection = `${mappingPath}/resources`
  const one = `${collection}/:resource`
  const idOf = ({ params }: Call<unknown>): string => decodeResourceId(params['resource'] ?? '')
  return [
    route({
      method: 'GET',
      path: collection,
      permission: 'all',
      handle: (call) => ({ status: 200, body: mappingOf(call).resources.map((resource) => renderResource(resource, {})) }),
    }),
    route({
      method: 'POST',
      path: collection,
      permission: 'edit',
      only: 'master',
      body: creation,
      async handle(call) {
        const { id, ...given } = call.body
        await change(call, (mapping) => {
          if (kindOfResources(mapping) === undefined)
            throw invalidRequest(`a ${mapping.protocol} mapping has no resources; it grants access as a whole`)
          if (mapping.resources.some((known) => known.id === id))
            throw conflict(`Resource with value '${id}' exists already`, 'INVALID_CONFIGURATION')
          const fresh: AdministeredResource = {
            id,
            enabled: false,
            exactMatchOnly: false,
            websocketUpgradeAllowed: false,
            creationDateMs: clock.now(),
          }
          return { ...mapping, resources: [...mapping.resources, applied(fresh, given)] }
        })
        return { status: 201, headers: { location: call.url(pathOfResource(mappingKeyOf(call.params), mappingOf(call), id)) } }
      },
    }),
    route({
      method: 'DELETE',
      path: collection,
      permission: 'edit',
      only: 'master',
      async handle(call) {
        await change(call, (mapping) => ({ ...mapping, resources: [] }))
        return { status: 204 }
      },
    }),
    route({
      method: 'GET',
      path: one,
      permission: 'all',
      handle(call) {
        const mapping = mappingOf(call)
        const resource = findResource(mapping, idOf(call))
        return { status: 200, body: renderResource(resource, linksOf(mappingKeyOf(call.params), mapping, resource, call.url)) }
      },
    }),
    route({
      method: 'PUT',
      path: one,
      permission: 'edit',
      only: 'master',
      body: changes,
      async handle(call) {
        await change(call, (mapping) => {
          const before = findResource(mapping, idOf(call))
          const after = applied(before, call.body)
          return { ...mapping, resources: mapping.resources.map((known) => (known === before ? after : known)) }
        })
        return { status: 204 }
      },
    }),
    route({
      method: 'DELETE',
      path: one,
      permission: 'edit',
      only: 'master',
      async handle(call) {
        await change(call, (mapping) => {
          const gone = findResource(mapping, idOf(call))
          return { ...mapping, resources: mapping.resources.filter((known) => known !== gone) }
        })
        return { status: 204 }
      },
    }),
  ]
}

/** What is not given stays. */
function applied(before: AdministeredResource, given: z.output<typeof changes>): AdministeredResource {
  const { description, enabled, exactMatchOnly } = given
  const websocketUpgradeAllowed = given.websocketUpgradeAllowed ?? given.webSocketUpgradeAllowed
  return {
    ...before,
    enabled: enabled ?? before.enabled,
    exactMatchOnly: exactMatchOnly ?? before.exactMatchOnly,
    websocketUpgradeAllowed: websocketUpgradeAllowed ?? before.websocketUpgradeAllowed,
    description: description ?? before.description,
  }
}

function renderResource(resource: AdministeredResource, links: unknown): unknown {
  const { creationDateMs, description, enabled, exactMatchOnly, id, websocketUpgradeAllowed } = resource
  return {
    id,
    enabled,
    exactMatchOnly,
    websocketUpgradeAllowed,
    creationDate: String(creationDateMs),
    ...(description === undefined ? {} : { description }),
    _links: links,
  }
}

function linksOf(key: SubaccountKey, mapping: AdministeredMapping, resource: AdministeredResource, url: (path: string) => string): unknown {
  return { self: { href: url(pathOfResource(key, mapping, resource.id)) } }
}
