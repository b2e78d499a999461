import { adapterCases, dialCases, httpProxyCases, rfcCases, serviceCases, socks5Cases } from '@sallyport/conformance/cases'

/** The suites that can be chosen, in the order in which they run. */
export const suiteNames = ['services', 'dial', 'http', 'socks5', 'rfc', 'adapters'] as const
export type SuiteName = (typeof suiteNames)[number]

/** The titles of the cases of each suite, for lists of known gaps. */
export const caseNames: Readonly<Record<SuiteName, readonly string[]>> = {
  services: Object.keys(serviceCases),
  dial: Object.keys(dialCases),
  http: Object.keys(httpProxyCases),
  socks5: Object.keys(socks5Cases),
  rfc: Object.keys(rfcCases),
  adapters: Object.keys(adapterCases),
}
