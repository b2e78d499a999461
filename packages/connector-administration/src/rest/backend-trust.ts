import { z } from 'zod'
import type { ConfigurationEditor } from '../document/configuration-editor.ts'
import type { OnPremisesSettings } from '../document/on-premises.ts'
import { type Route, route } from './route.ts'
import { tolerantBoolean } from './tolerant-values.ts'
import { describeTrusted, trustStoreRoutes } from './trust-store.ts'

const path = '/api/v1/configuration/connector/onPremises/truststore'

/** Which certificates of backends are trusted (cloud-connector.md §8.6). */
export function backendTrust(editor: ConfigurationEditor): readonly Route[] {
  const settings = (): OnPremisesSettings => editor.document.onPremises
  const change = (user: string, edit: (before: OnPremisesSettings) => Partial<OnPremisesSettings>): Promise<unknown> =>
    editor.change(user, (document) => ({ ...document, onPremises: { ...document.onPremises, ...edit(document.onPremises) } }))
  return [
    route({
      method: 'GET',
      path,
      permission: 'all',
      handle: () => ({
        status: 200,
        body: { trustAllBackends: settings().trustAllBackends, trustedBackends: settings().trustedBackends.map(describeTrusted) },
      }),
    }),
    route({
      method: 'PATCH',
      path,
      permission: 'associates',
      only: 'master',
      body: z.object({ trustAllBackends: tolerantBoolean }),
      async handle({ body: { trustAllBackends }, caller }) {
        await change(caller.user, () => ({ trustAllBackends }))
        return { status: 204 }
      },
    }),
    ...trustStoreRoutes({
      path: `${path}/certificates`,
      prefix: 'trustedbackend',
      only: 'master',
      read: () => ({ certificates: settings().trustedBackends, nextUpload: settings().nextTrustedBackend }),
      change: (user, edit) =>
        change(user, ({ nextTrustedBackend, trustedBackends }) => {
          const after = edit({ certificates: trustedBackends, nextUpload: nextTrustedBackend })
          return { trustedBackends: after.certificates, nextTrustedBackend: after.nextUpload }
        }),
    }),
  ]
}
