import { type HeapSettings, heapSizeSchema } from '@sallyport/admin-api'
import type { AuditSink } from '@sallyport/core'
import { z } from 'zod'
import type { ConfigurationEditor } from '../document/configuration-editor.ts'
import { checkLoginHtml } from '../document/login-information.ts'
import type { SubaccountLifecycle } from '../subaccounts/subaccount-lifecycle.ts'
import { invalidRequest } from './rest-error.ts'
import { ofOneInstance, type Route, route } from './route.ts'
import { requireFittingHeap, type RuntimeSettings } from './runtime-settings.ts'

const base = '/api/private/v1'

/** What housekeeping works on. */
export interface HousekeepingOptions {
  /** Of this instance: each of a pair has a text of its own on its log-on page. */
  readonly editor: ConfigurationEditor
  readonly lifecycle: Pick<SubaccountLifecycle, 'removeUnused'>
  readonly runtime: RuntimeSettings
  readonly audit: Pick<AuditSink, 'write'>
}

/** The store of secrets, memory, and what stands on the log-on page (cloud-connector.md §1.15, §1.18). The original has no REST API for them: the paths are our own. */
export function housekeeping(options: HousekeepingOptions): readonly Route[] {
  return [shrinking(options), ...ofOneInstance([...memory(options), ...loginInformation(options)])]
}

function shrinking({ audit, lifecycle }: HousekeepingOptions): Route {
  return route({
    method: 'POST',
    path: `${base}/secureStore/shrink`,
    permission: 'administrators',
    only: 'master',
    shared: 'if-needed',
    async handle({ caller }) {
      const removed = await lifecycle.removeUnused(caller.user)
      if (removed > 0) tell(audit, 'Configuration', caller.user, `removed ${removed} secrets that belong to nothing any more`)
      return { status: 200, body: { removed } }
    },
  })
}

function memory({ audit, runtime }: HousekeepingOptions): readonly Route[] {
  const path = `${base}/runtime`
  return [
    route({
      method: 'GET',
      path,
      permission: 'all',
      handle: async () => ({ status: 200, body: { ...(await runtime.read()), heapLimitBytes: runtime.heapLimitBytes } }),
    }),
    route({
      method: 'PUT',
      path,
      permission: 'administrators',
      body: z.object({
        initialHeap: heapSizeSchema.optional(),
        maxHeap: heapSizeSchema.optional(),
        maxDirectMemory: z.unknown().optional(),
      }),
      async handle({ body: { maxDirectMemory, ...sizes }, caller }) {
        // What would be without effect is not taken.
        if (maxDirectMemory !== undefined)
          throw invalidRequest(
            'maxDirectMemory: memory outside the heap has no setting of its own; leave it out, and limit the process by its unit or container',
          )
        const before = await runtime.read()
        const after: HeapSettings = {
          ...before,
          ...(sizes.initialHeap && { initialHeap: sizes.initialHeap }),
          ...(sizes.maxHeap && { maxHeap: sizes.maxHeap }),
        }
        requireFittingHeap(after)
        await runtime.write(after)
        tell(audit, 'AdvancedJVM', caller.user, `changed parameter Heap from ${JSON.stringify(before)} to ${JSON.stringify(after)}`)
        return { status: 204 }
      },
    }),
    route({
      method: 'DELETE',
      path,
      permission: 'administrators',
      async handle({ caller }) {
        const before = await runtime.read()
        await runtime.write({})
        tell(audit, 'AdvancedJVM', caller.user, `changed parameter Heap from ${JSON.stringify(before)} to {}`)
        return { status: 204 }
      },
    }),
  ]
}

function loginInformation({ editor }: HousekeepingOptions): readonly Route[] {
  const path = `${base}/loginInformation`
  return [
    // Whoever is about to log on is not known yet.
    route({
      method: 'GET',
      path,
      permission: 'everybody',
      handle: () => ({ status: 200, body: { html: editor.document.loginInformation } }),
    }),
    route({
      method: 'PUT',
      path,
      permission: 'administrators',
      body: z.object({ html: z.string() }),
      async handle({ body: { html }, caller }) {
        const problem = checkLoginHtml(html)
        if (problem !== undefined) throw invalidRequest(`html: ${problem}`)
        await editor.change(caller.user, (document) =>
          document.loginInformation === html ? document : { ...document, loginInformation: html },
        )
        return { status: 204 }
      },
    }),
  ]
}

function tell(audit: Pick<AuditSink, 'write'>, category: string, user: string, what: string): void {
  audit.write({ type: 'configuration-changed', category, subaccount: '', user, message: `User ${user} ${what}` })
}
