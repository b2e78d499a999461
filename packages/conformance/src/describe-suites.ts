import type { Destination, ProtocolClient } from '@sallyport/core'
import { adapterCases } from './adapter-cases.ts'
import { type AdapterSubject, runAdapterCase } from './adapter-suite.ts'
import { describeCases } from './describe-cases.ts'
import { dialCases } from './dial-cases.ts'
import { type DialSubject, runDialCase } from './dial-suite.ts'
import type { FarSide } from './far-side.ts'
import { keySystemCases } from './key-system-cases.ts'
import { type KeySystemSubject, runKeySystemCase } from './key-system-suite.ts'
import { httpProxyCases } from './http-proxy-cases.ts'
import { type HttpProxySubject, runProxyCase, type Socks5Subject } from './proxy-suite.ts'
import { rfcCases } from './rfc-cases.ts'
import { type RfcSubject, runRfcCase } from './rfc-suite.ts'
import { runServiceCase, serviceCases, type ServiceSubject } from './service-cases.ts'
import { socks5Cases } from './socks5-cases.ts'
import { transportCases } from './transport-cases.ts'
import { runTransportCase, type TransportSubject } from './transport-suite.ts'

/** Holds a dial to the contract of `Dial`: one test per case of {@link dialCases}. */
export function describeDial(name: string, subject: DialSubject): void {
  describeCases('dial', name, dialCases, subject, (test) => runDialCase(test, subject))
}

/** Holds an adapter to the contract of `ProtocolAdapter`: one test per case of {@link adapterCases}. */
export function describeAdapter<T extends Destination['type'], Client extends ProtocolClient, Far extends FarSide>(
  name: string,
  subject: AdapterSubject<T, Client, Far>,
): void {
  describeCases('adapter', name, adapterCases, subject, (test) => runAdapterCase(test, subject))
}

/** Holds a transport to the contract of `TunnelTransport`: one test per case of {@link transportCases}. */
export function describeTransport(name: string, subject: TransportSubject): void {
  describeCases('transport', name, transportCases, subject, (test) => runTransportCase(test, subject))
}

/** Holds a key management system to the contract of `KeyManagementSystem`: one test per case of {@link keySystemCases}. */
export function describeKeySystem(name: string, subject: KeySystemSubject): void {
  describeCases('key management system', name, keySystemCases, subject, (test) => runKeySystemCase(test, subject))
}

/** Holds the HTTP listener of a connectivity proxy to what applications see of it: one test per case of {@link httpProxyCases}. */
export function describeHttpProxy(name: string, subject: HttpProxySubject): void {
  describeCases('http proxy', name, httpProxyCases, subject, (test) => runProxyCase(test, subject))
}

/** Holds the SOCKS5 listener of a connectivity proxy to its bytes: one test per case of {@link socks5Cases}. */
export function describeSocks5(name: string, subject: Socks5Subject): void {
  describeCases('socks5', name, socks5Cases, subject, (test) => runProxyCase(test, subject))
}

/** Holds a way to gateways of ABAP systems to what applications see of them: one test per case of {@link rfcCases}. */
export function describeRfc(name: string, subject: RfcSubject): void {
  describeCases('rfc', name, rfcCases, subject, (test) => runRfcCase(test, subject))
}

/** Holds bindings, token service and destination service to what applications expect of them: one test per case of {@link serviceCases}. */
export function describeServices(name: string, subject: ServiceSubject): void {
  describeCases('services', name, serviceCases, subject, (test) => runServiceCase(test, subject))
}
