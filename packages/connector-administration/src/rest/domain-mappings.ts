import { z } from 'zod'
import type { AdministeredSubaccount } from '../document/administered-subaccount.ts'
import { editSubaccount, findSubaccount } from '../document/edit-subaccount.ts'
import { conflict, notFound, type RestError } from './rest-error.ts'
import { type Call, type Route, route } from './route.ts'
import { pathOfSubaccount, requireChangeable, subaccountKeyOf, subaccountPath } from './subaccount-path.ts'
import type { AccessControlOptions } from './system-mappings.ts'

type DomainMapping = AdministeredSubaccount['domainMappings'][number]

const domain = z
  .string()
  .max(255)
  .regex(/^\.?[A-Za-z0-9._-]+$/, 'is not a domain such as .intranet.example')
const body = z.object({ virtualDomain: domain, internalDomain: domain })

/** Domains of cookies as backends set them, and as callers see them. The internal one is the key; a single one has a link and cannot be read (cloud-connector.md §8.9). */
export function domainMappings({ editor, isLocked }: AccessControlOptions): readonly Route[] {
  const change = async (call: Call<unknown>, edit: (known: readonly DomainMapping[]) => readonly DomainMapping[]): Promise<void> => {
    const key = subaccountKeyOf(call.params)
    await editor.change(call.caller.user, (document) => {
      requireChangeable(document, key, call.caller, isLocked)
      return editSubaccount(document, key, (entry) => ({ ...entry, domainMappings: edit(entry.domainMappings) }))
    })
  }
  const collection = `${subaccountPath}/domainMappings`
  const one = `${collection}/:internalDomain`
  const hrefOf = ({ params, url }: Call<unknown>, { internalDomain }: DomainMapping): string =>
    url(`${pathOfSubaccount(subaccountKeyOf(params))}/domainMappings/${encodeURIComponent(internalDomain)}`)
  return [
    route({
      method: 'GET',
      path: collection,
      permission: 'all',
      handle: (call) => ({
        status: 200,
        body: findSubaccount(editor.document, subaccountKeyOf(call.params)).domainMappings.map((mapping) => ({
          virtualDomain: mapping.virtualDomain,
          internalDomain: mapping.internalDomain,
          _links: { self: { href: hrefOf(call, mapping) } },
        })),
      }),
    }),
    route({
      method: 'POST',
      path: collection,
      permission: 'edit',
      only: 'master',
      body,
      async handle(call) {
        await change(call, (known) => {
          if (find(known, call.body.internalDomain) !== undefined) throw taken(call.body.internalDomain)
          return [...known, call.body]
        })
        return { status: 201, headers: { location: hrefOf(call, call.body) } }
      },
    }),
    route({
      method: 'PUT',
      path: one,
      permission: 'edit',
      only: 'master',
      body,
      async handle(call) {
        await change(call, (known) => {
          const before = requireKnown(known, call)
          const other = find(known, call.body.internalDomain)
          if (other !== undefined && other !== before) throw taken(call.body.internalDomain)
          return known.map((mapping) => (mapping === before ? call.body : mapping))
        })
        return { status: 204 }
      },
    }),
    route({
      method: 'DELETE',
      path: collection,
      permission: 'edit',
      only: 'master',
      async handle(call) {
        await change(call, () => [])
        return { status: 204 }
      },
    }),
    route({
      method: 'DELETE',
      path: one,
      permission: 'edit',
      only: 'master',
      async handle(call) {
        await change(call, (known) => {
          const gone = requireKnown(known, call)
          return known.filter((mapping) => mapping !== gone)
        })
        return { status: 204 }
      },
    }),
  ]
}

function find(known: readonly DomainMapping[], internalDomain: string): DomainMapping | undefined {
  return known.find((mapping) => mapping.internalDomain.toLowerCase() === internalDomain.toLowerCase())
}

function requireKnown(known: readonly DomainMapping[], { params }: Call<unknown>): DomainMapping {
  const name = params['internalDomain'] ?? ''
  const found = find(known, name)
  if (found === undefined) throw notFound(`Domain mapping with value '${name}' does not exist`)
  return found
}

function taken(internalDomain: string): RestError {
  return conflict(`Domain mapping with value '${internalDomain}' exists already`, 'INVALID_CONFIGURATION')
}
