import { isDeepStrictEqual } from 'node:util'
import type { TraceSettings } from '@sallyport/cloud-connector'
import type { AdministeredDocument } from './administered-document.ts'

/** What the document says about traces, in the form of the data path. */
export function traceSettingsOf({ logAndTrace, subaccounts }: AdministeredDocument): TraceSettings {
  return {
    log: logAndTrace,
    traffic: subaccounts
      .filter(({ traces }) => traces.trafficTrace || traces.payloadSncTrace)
      .map(({ locationId, subaccount, traces }) => ({ subaccount, locationId, ...traces })),
  }
}

/** The document with these traces; the same one when it has them already. Those of subaccounts that it does not have are left out. */
export function withTraceSettings(document: AdministeredDocument, { log, traffic }: TraceSettings): AdministeredDocument {
  const changed: AdministeredDocument = {
    ...document,
    logAndTrace: log,
    subaccounts: document.subaccounts.map((entry) => {
      const { payloadSncTrace = false, trafficTrace = false } =
        traffic.find(({ locationId, subaccount }) => subaccount === entry.subaccount && locationId === entry.locationId) ?? {}
      return { ...entry, traces: { trafficTrace, payloadSncTrace } }
    }),
  }
  return isDeepStrictEqual(traceSettingsOf(changed), traceSettingsOf(document)) ? document : changed
}
