/**
 * The tables themselves and how to run them without a test runner: from a command line, against an implementation that is not
 * written in this language, or inside another framework.
 *
 * @example
 * const results = await runCases({ suite: 'dial', subject: 'mine', cases: dialCases, claims: subject, run: (test) => runDialCase(test, subject), clock })
 *
 * @packageDocumentation
 */
export { type AdapterCaseName, adapterCases } from './adapter-cases.ts'
export type { AdapterCase, AdapterContext, AdapterFeature, AdapterParts, Demand } from './adapter-cases/adapter-case.ts'
export { type AdapterSubject, runAdapterCase } from './adapter-suite.ts'
export type { Case, Claims } from './case.ts'
export {
  type DialCase,
  dialCases,
  type DialCaseName,
  type DialContext,
  type DialFarSide,
  type DialFeature,
  type Refusal,
} from './dial-cases.ts'
export { type DialSubject, runDialCase } from './dial-suite.ts'
export type { FarEnd, FarSide } from './far-side.ts'
export {
  type KeySystemCase,
  type KeySystemCaseName,
  keySystemCases,
  type KeySystemContext,
  type KeySystemFeature,
  type KeySystemWorld,
} from './key-system-cases.ts'
export { type KeySystemSubject, runKeySystemCase } from './key-system-suite.ts'
export { type HttpProxyCaseName, httpProxyCases } from './http-proxy-cases.ts'
export type { HttpProxyFeature } from './http-proxy-cases/http-proxy-case.ts'
export type { ProxyFarSide } from './proxy-far-side.ts'
export { type HttpProxySubject, runProxyCase, type Socks5Subject } from './proxy-suite.ts'
export { openRawClient, type RawClient, readAnswer } from './raw-peer.ts'
export { type RfcCaseName, rfcCases } from './rfc-cases.ts'
export { type CallOutcome, createRfcCaller, type RfcCaller, type RfcCallerOptions, rfcLogon, rfcTarget } from './rfc-cases/rfc-caller.ts'
export type { RfcCase, RfcFarSide, RfcFeature } from './rfc-cases/rfc-case.ts'
export { type RfcSubject, runRfcCase } from './rfc-suite.ts'
export { type CaseFailure, type CaseResult, type CaseRun, runCases } from './run-cases.ts'
export { runServiceCase, type ServiceCaseName, serviceCases, type ServiceParts, type ServiceSubject } from './service-cases.ts'
export { type Socks5CaseName, socks5Cases } from './socks5-cases.ts'
export type { Socks5Feature } from './socks5-cases/socks5-case.ts'
export { type TransportCaseName, transportCases } from './transport-cases.ts'
export type { Stranger, TransportCase, TransportContext, TransportDeps, TransportFeature } from './transport-cases/transport-case.ts'
export { runTransportCase, type TransportSubject } from './transport-suite.ts'
