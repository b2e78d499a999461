import type { Case, Claims } from './case.ts'
import type { HttpProxyCaseName } from './http-proxy-cases.ts'
import type { HttpProxyFeature } from './http-proxy-cases/http-proxy-case.ts'
import { caseLimitMs } from './limits.ts'
import type { ProxyContext, ProxyParts } from './proxy-far-side.ts'
import type { Socks5CaseName } from './socks5-cases.ts'
import type { Socks5Feature } from './socks5-cases/socks5-case.ts'

/** The HTTP listener of one connectivity proxy. */
export interface HttpProxySubject extends ProxyParts, Claims<HttpProxyFeature, HttpProxyCaseName> {}

/** The SOCKS5 listener of one connectivity proxy. */
export interface Socks5Subject extends ProxyParts, Claims<Socks5Feature, Socks5CaseName> {}

/** Runs one case of either table outside of a test runner's table, for example against a proxy that is broken on purpose. */
export async function runProxyCase(test: Case<ProxyContext, string>, subject: ProxyParts): Promise<void> {
  const signal = AbortSignal.timeout(subject.limitMs ?? caseLimitMs)
  await using far = await subject.open()
  const opened = new Set<AsyncDisposable>()
  try {
    await test.run({ far, signal, opened })
  } finally {
    await Promise.all([...opened].map((one) => one[Symbol.asyncDispose]()))
  }
}
