/**
 * The suites that every dial, adapter and transport passes, for Vitest: a suite is a function, and an implementation's own file is
 * one call. The tables without a test runner are `@sallyport/conformance/cases`.
 *
 * @example
 * describeDial('direct', { open: openDirectFarSide, features: { silence: true, locations: false, refusals: false } })
 *
 * @packageDocumentation
 */
export type { AdapterParts, Demand } from './adapter-cases/adapter-case.ts'
export type { AdapterSubject } from './adapter-suite.ts'
export {
  describeAdapter,
  describeDial,
  describeHttpProxy,
  describeKeySystem,
  describeRfc,
  describeServices,
  describeSocks5,
  describeTransport,
} from './describe-suites.ts'
export type { DialFarSide } from './dial-cases.ts'
export type { DialSubject } from './dial-suite.ts'
export type { FarEnd, FarSide } from './far-side.ts'
export type { KeySystemWorld } from './key-system-cases.ts'
export type { KeySystemSubject } from './key-system-suite.ts'
export type { RfcSubject } from './rfc-suite.ts'
export type { TransportSubject } from './transport-suite.ts'
