import { z } from 'zod'
import type { ConfigurationEditor } from '../document/configuration-editor.ts'
import type { Pair } from '../high-availability/pair-contract.ts'
import { conflict, invalidRequest } from './rest-error.ts'
import { type Route, route } from './route.ts'
import { tolerantInteger } from './tolerant-values.ts'

const path = '/api/v1/configuration/connector'

/** Description, HTTPS proxy and version (cloud-connector.md §8.3). */
export function connectorBasics(
  options: {
    readonly editor: ConfigurationEditor
    readonly pair?: Pair | undefined
    readonly version: string
  },
  /** For the role, which is no business of a master alone. */
  ofEither: ConfigurationEditor,
): readonly Route[] {
  const { editor, pair, version } = options
  const describe = (): { readonly ha: string; readonly description: string } => {
    const { description, haRole } = editor.document.connector
    return { ha: haRole, description }
  }
  return [
    route({ method: 'GET', path, permission: 'all', handle: () => ({ status: 200, body: describe() }) }),
    route({
      method: 'PUT',
      path,
      permission: 'associates',
      only: 'master',
      body: z.object({ description: z.string().max(1024) }),
      async handle({ body: { description }, caller }) {
        await editor.change(caller.user, (document) => ({ ...document, connector: { ...document.connector, description } }))
        return { status: 200, body: describe() }
      },
    }),
    route({
      method: 'GET',
      path: '/api/v1/connector/version',
      permission: 'all',
      before: 'role-choice',
      handle: () => ({ status: 200, body: { version }, headers: { 'cache-control': 'max-age=3600' } }),
    }),
    route({
      method: 'GET',
      path: `${path}/haRole`,
      permission: 'all',
      before: 'role-choice',
      handle: () => ({ status: 200, body: JSON.stringify(editor.document.connector.haRole), type: 'application/json' }),
    }),
    ...(['POST', 'PUT'] as const).map((method) =>
      route({
        method,
        path: `${path}/haRole`,
        permission: 'administrators',
        before: 'role-choice',
        body: z.string(),
        async handle({ body, caller }) {
          if (body !== 'master' && body !== 'shadow') throw invalidRequest('the role is "master" or "shadow"')
          if (body === 'shadow' && pair?.masterState === 'CONNECTED' && editor.document.connector.haRole === 'master') {
            await pair.switchRole(caller.user, false)
            return { status: 204 }
          }
          await ofEither.change(caller.user, (document) => {
            if (document.connector.haRole !== 'undefined') throw conflict(`the role is already ${document.connector.haRole}`)
            return { ...document, connector: { ...document.connector, haRole: body } }
          })
          if (body === 'shadow') await pair?.standBy()
          return { status: 204 }
        },
      }),
    ),
    ...proxyRoutes(editor),
  ]
}

const proxyBody = z.object({
  host: z.string().min(1).max(255).optional(),
  port: tolerantInteger(1, 65_535).optional(),
  user: z.string().max(255).optional(),
  password: z.string().max(1024).optional(),
})

function proxyRoutes(editor: ConfigurationEditor): readonly Route[] {
  const remove = async (user: string): Promise<void> => {
    await editor.change(user, (document) =>
      document.connector.proxy === undefined ? document : { ...document, connector: { ...document.connector, proxy: undefined } },
    )
  }
  return [
    route({
      method: 'GET',
      path: `${path}/proxy`,
      permission: 'all',
      handle() {
        const { proxy } = editor.document.connector
        if (proxy === undefined) return { status: 200, body: {} }
        const { host, password, port, user } = proxy
        return {
          status: 200,
          body: {
            host,
            port: String(port),
            ...(user === undefined ? {} : { user }),
            ...(password === undefined ? {} : { password: '***' }),
          },
        }
      },
    }),
    route({
      method: 'PUT',
      path: `${path}/proxy`,
      permission: 'administrators',
      only: 'master',
      body: proxyBody,
      async handle({ body: { host, password, port, user }, caller }) {
        if (host === undefined && port === undefined) await remove(caller.user)
        else if (host === undefined || port === undefined) throw invalidRequest('a proxy needs host and port')
        else
          await editor.change(caller.user, (document) => ({
            ...document,
            connector: { ...document.connector, proxy: { host, port, user, password } },
          }))
        return { status: 204 }
      },
    }),
    route({
      method: 'DELETE',
      path: `${path}/proxy`,
      permission: 'administrators',
      only: 'master',
      async handle({ caller }) {
        await remove(caller.user)
        return { status: 204 }
      },
    }),
  ]
}
