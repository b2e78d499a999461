import { z } from 'zod'
import type { AdministeredMapping } from '../document/administered-mapping.ts'
import { editMapping, findMapping } from '../document/edit-mapping.ts'
import { findSubaccount } from '../document/edit-subaccount.ts'
import { blockedUserList, clientList, withoutDuplicates } from './authority-values.ts'
import { invalidRequest, notFound } from './rest-error.ts'
import { type Answer, type Call, type Route, route } from './route.ts'
import { mappingKeyOf, mappingPath, pathOfMapping, requireChangeable } from './subaccount-path.ts'
import type { AccessControlOptions } from './system-mappings.ts'

/** Which clients and users may log on through an RFC mapping (cloud-connector.md §8.9). */
export function authorityLists(options: AccessControlOptions): readonly Route[] {
  return [
    ...listRoutes(options, {
      path: 'allowedClients',
      body: clientList,
      read: (mapping) => mapping.allowedClients,
      write: (mapping, allowedClients) => ({ ...mapping, allowedClients }),
      merge: (known, added) => [...new Set([...known, ...added])],
      nameOf: (client) => client,
    }),
    ...listRoutes(options, {
      path: 'blockedClientUsers',
      body: blockedUserList,
      read: (mapping) => mapping.blacklistedUsers,
      write: (mapping, blacklistedUsers) => ({ ...mapping, blacklistedUsers }),
      merge: (known, added) => withoutDuplicates([...known, ...added]),
      nameOf: ({ client, user }) => `${client}:${user}`,
    }),
  ]
}

/** A list that is replaced by POST and grows by PATCH. */
interface AuthorityList<Item> {
  readonly path: string
  readonly body: z.ZodType<readonly Item[]>
  read(mapping: AdministeredMapping): readonly Item[]
  write(mapping: AdministeredMapping, items: readonly Item[]): AdministeredMapping
  merge(known: readonly Item[], added: readonly Item[]): readonly Item[]
  nameOf(item: Item): string
}

function listRoutes<Item>({ editor, isLocked }: AccessControlOptions, list: AuthorityList<Item>): readonly Route[] {
  const path = `${mappingPath}/${list.path}`
  const change = async (call: Call<unknown>, edit: (items: readonly Item[]) => readonly Item[]): Promise<void> => {
    const key = mappingKeyOf(call.params)
    await editor.change(call.caller.user, (document) => {
      requireChangeable(document, key, call.caller, isLocked)
      return editMapping(document, key, (mapping) => {
        const items = edit(list.read(mapping))
        if (items.length > 0 && mapping.protocol !== 'RFC')
          throw invalidRequest(`clients and users are known in RFC mappings only, not in ${mapping.protocol}`)
        return list.write(mapping, items)
      })
    })
  }
  const locationOf = ({ params, url }: Call<unknown>): string => {
    const key = mappingKeyOf(params)
    return url(`${pathOfMapping(key, findMapping(findSubaccount(editor.document, key), key.virtual))}/${list.path}`)
  }
  return [
    route({
      method: 'GET',
      path,
      permission: 'all',
      handle({ params }) {
        const key = mappingKeyOf(params)
        return { status: 200, body: list.read(findMapping(findSubaccount(editor.document, key), key.virtual)) }
      },
    }),
    route({
      method: 'POST',
      path,
      permission: 'edit',
      only: 'master',
      body: list.body,
      async handle(call): Promise<Answer> {
        await change(call, () => call.body)
        return { status: 201, headers: { location: locationOf(call) } }
      },
    }),
    route({
      method: 'PATCH',
      path,
      permission: 'edit',
      only: 'master',
      body: list.body,
      async handle(call): Promise<Answer> {
        await change(call, (known) => list.merge(known, call.body))
        return { status: 204 }
      },
    }),
    route({
      method: 'DELETE',
      path,
      permission: 'edit',
      only: 'master',
      async handle(call) {
        await change(call, () => [])
        return { status: 204 }
      },
    }),
    route({
      method: 'DELETE',
      path: `${path}/:item`,
      permission: 'edit',
      only: 'master',
      async handle(call) {
        const name = call.params['item'] ?? ''
        await change(call, (known) => {
          const kept = known.filter((item) => list.nameOf(item) !== name)
          if (kept.length === known.length) throw notFound(`'${name}' is not in ${list.path}`)
          return kept
        })
        return { status: 204 }
      },
    }),
  ]
}
