import { parseRolloverThreshold, traceLevels } from '@sallyport/admin-api'
import type { ConnectorTraces, TraceHolder, TraceSettings } from '@sallyport/cloud-connector'
import { z } from 'zod'
import type { AdministeredSubaccount } from '../document/administered-subaccount.ts'
import type { ConfigurationEditor } from '../document/configuration-editor.ts'
import { findSubaccount } from '../document/edit-subaccount.ts'
import { withTraceSettings } from '../document/trace-settings.ts'
import { invalidRequest } from './rest-error.ts'
import { type Route, route } from './route.ts'
import { subaccountKeyOf } from './subaccount-path.ts'
import { tolerantBoolean, tolerantInteger } from './tolerant-values.ts'

const path = '/api/v1/configuration/connector/logAndTrace'

const level = z.enum(traceLevels).optional()
const body = z.object({
  sccLogLevel: level,
  otherLogLevel: level,
  tlsTrace: tolerantBoolean.optional(),
  cpicTraceLevel: tolerantInteger(0, 3).optional(),
  cleanup: tolerantInteger(0, 3650).optional(),
  rolloverThreshold: z
    .string()
    .transform((text) => {
      const megabytes = parseRolloverThreshold(text)
      if (megabytes === undefined) throw invalidRequest(`rolloverThreshold: "${text}" is not a size from 1 MB to 10000 MB, such as "75 MB"`)
      return megabytes
    })
    .optional(),
})
const trafficBody = z.object({ trafficTrace: tolerantBoolean.optional(), payloadSncTrace: tolerantBoolean.optional() })

/**
 * Logs and traces (cloud-connector.md §8.7). What is shown is what is traced now; changes take effect at once, but that of the TLS trace. Contents are traced only
 * where a second person permits it (§7.5): otherwise the answer is 403.
 */
export function logAndTrace(options: {
  readonly editor: ConfigurationEditor
  readonly traces: Pick<ConnectorTraces, 'folder' | 'isTlsTraceActive' | 'settings'>
}): readonly Route[] {
  const { editor, traces } = options
  const change = async (user: string, edit: (before: TraceSettings) => TraceSettings): Promise<void> => {
    await editor.change(user, (document) => withTraceSettings(document, edit(traces.settings)))
  }
  return [
    route({
      method: 'GET',
      path,
      permission: 'all',
      handle: () => ({
        status: 200,
        body: { ...traces.settings.log, isTlsTraceActive: traces.isTlsTraceActive, logAndTracePath: traces.folder },
      }),
    }),
    route({
      method: 'PATCH',
      path,
      permission: 'support',
      body,
      async handle({ body: { cpicTraceLevel, ...given }, caller }) {
        const cpic = cpicLevels.find((known) => known === cpicTraceLevel)
        await change(caller.user, ({ log, traffic }) => ({
          log: { ...log, ...withoutGaps(given), ...(cpic === undefined ? {} : { cpicTraceLevel: cpic }) },
          traffic,
        }))
        return { status: 204 }
      },
    }),
    route({
      method: 'GET',
      path: `${path}/subaccounts/:regionHost/:subaccount`,
      permission: 'all',
      handle({ params }) {
        const { payloadSncTrace, trafficTrace } = trafficOf(traces.settings, findSubaccount(editor.document, subaccountKeyOf(params)))
        return { status: 200, body: { trafficTrace, payloadSncTrace } }
      },
    }),
    route({
      method: 'PATCH',
      path: `${path}/subaccounts/:regionHost/:subaccount`,
      permission: 'support',
      body: trafficBody,
      async handle({ body: given, caller, params }) {
        const entry = findSubaccount(editor.document, subaccountKeyOf(params))
        await change(caller.user, ({ log, traffic }) => {
          const before = trafficOf({ log, traffic }, entry)
          return { log, traffic: [...traffic.filter((each) => each !== before), { ...before, ...withoutGaps(given) }] }
        })
        return { status: 204 }
      },
    }),
  ]
}

const cpicLevels = [0, 1, 2, 3] as const

function trafficOf(
  { traffic }: TraceSettings,
  { locationId, subaccount }: AdministeredSubaccount & TraceHolder,
): TraceSettings['traffic'][number] {
  const known = traffic.find((each) => each.subaccount === subaccount && each.locationId === locationId)
  return known ?? { subaccount, locationId, trafficTrace: false, payloadSncTrace: false }
}

/** What is not given must not replace what is there. */
function withoutGaps<T extends object>(given: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never
}
