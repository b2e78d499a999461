import { customRegionSchema } from '../document/custom-region.ts'
import type { ConfigurationEditor } from '../document/configuration-editor.ts'
import { maxCustomRegions } from '../limits.ts'
import { listRegions } from '../subaccounts/regions.ts'
import { conflict, notFound } from './rest-error.ts'
import { type Route, route } from './route.ts'

const path = '/api/private/v1/regions'

/** Regions that can be chosen, and those that were added. The original has no REST API for them, so the path is our own. */
export function regions(editor: ConfigurationEditor): readonly Route[] {
  return [
    route({ method: 'GET', path, permission: 'all', handle: () => ({ status: 200, body: listRegions(editor.document.regions) }) }),
    route({
      method: 'POST',
      path,
      permission: 'administrators',
      only: 'master',
      body: customRegionSchema,
      async handle({ body, caller, url }) {
        await editor.change(caller.user, (document) => {
          if (document.regions.some((known) => sameHost(known.host, body.host)))
            throw conflict(`region ${body.host} exists already`, 'INVALID_CONFIGURATION')
          if (document.regions.length >= maxCustomRegions) throw conflict(`there are ${maxCustomRegions} regions already; delete one`)
          return { ...document, regions: [...document.regions, body] }
        })
        return { status: 201, headers: { location: url(`${path}/${encodeURIComponent(body.host)}`) } }
      },
    }),
    route({
      method: 'GET',
      path: `${path}/:host`,
      permission: 'all',
      handle({ params }) {
        const found = editor.document.regions.find((known) => sameHost(known.host, params['host'] ?? ''))
        if (found === undefined) throw notFound(`region ${params['host']} was not added here`)
        return { status: 200, body: found }
      },
    }),
    route({
      method: 'PUT',
      path: `${path}/:host`,
      permission: 'administrators',
      only: 'master',
      body: customRegionSchema,
      async handle({ body, caller, params }) {
        await editor.change(caller.user, (document) => {
          const before = document.regions.find((known) => sameHost(known.host, params['host'] ?? ''))
          if (before === undefined) throw notFound(`region ${params['host']} was not added here`)
          if (document.regions.some((known) => known !== before && sameHost(known.host, body.host)))
            throw conflict(`region ${body.host} exists already`, 'INVALID_CONFIGURATION')
          return { ...document, regions: document.regions.map((known) => (known === before ? body : known)) }
        })
        return { status: 204 }
      },
    }),
    route({
      method: 'DELETE',
      path: `${path}/:host`,
      permission: 'administrators',
      only: 'master',
      async handle({ caller, params }) {
        await editor.change(caller.user, (document) => {
          const kept = document.regions.filter((known) => !sameHost(known.host, params['host'] ?? ''))
          if (kept.length === document.regions.length) throw notFound(`region ${params['host']} was not added here`)
          return { ...document, regions: kept }
        })
        return { status: 204 }
      },
    }),
  ]
}

function sameHost(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase()
}
