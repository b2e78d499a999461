/**
 * The suites that every dial, adapter and transport passes. A suite is a function; an implementation's own file is one call.
 *
 * @example
 * describeDial('direct', { open: openDirectFarSide, features: { silence: true, locations: false, refusals: false } })
 *
 * @packageDocumentation
 */
export {
  type AdapterCase,
  adapterCases,
  type AdapterCaseName,
  type AdapterContext,
  type AdapterFeature,
  type AdapterParts,
  type Demand,
} from './adapter-cases.ts'
export { type AdapterSubject, describeAdapter, runAdapterCase } from './adapter-suite.ts'
export type { Case, Claims } from './describe-cases.ts'
export {
  type DialCase,
  dialCases,
  type DialCaseName,
  type DialContext,
  type DialFarSide,
  type DialFeature,
  type Refusal,
} from './dial-cases.ts'
export { describeDial, type DialSubject, runDialCase } from './dial-suite.ts'
export type { FarEnd, FarSide } from './far-side.ts'
export { type TransportCaseName, transportCases } from './transport-cases.ts'
export type { Stranger, TransportCase, TransportContext, TransportDeps, TransportFeature } from './transport-cases/transport-case.ts'
export { describeTransport, runTransportCase, type TransportSubject } from './transport-suite.ts'
