import { z } from 'zod'
import type { ConfigurationEditor } from '../document/configuration-editor.ts'
import { type Route, route } from './route.ts'
import { tolerantInteger } from './tolerant-values.ts'

const path = '/api/private/v1/connectivity'

/** Parameters of tunnels (cloud-connector.md §1.15). The original has no REST API for them, so the path is our own. Connections count from the next connect on. */
export function connectivity(editor: ConfigurationEditor): readonly Route[] {
  return [
    route({ method: 'GET', path, permission: 'all', handle: () => ({ status: 200, body: editor.document.connectivity }) }),
    route({
      method: 'PUT',
      path,
      permission: 'administrators',
      only: 'master',
      body: z.object({
        applicationTunnelConnections: tolerantInteger(1, 15).optional(),
        maxReconnectAttempts: tolerantInteger(1, 100_000).optional(),
      }),
      async handle({ body, caller }) {
        await editor.change(caller.user, (document) => ({
          ...document,
          connectivity: {
            applicationTunnelConnections: body.applicationTunnelConnections ?? document.connectivity.applicationTunnelConnections,
            maxReconnectAttempts: body.maxReconnectAttempts ?? document.connectivity.maxReconnectAttempts,
          },
        }))
        return { status: 204 }
      },
    }),
  ]
}
