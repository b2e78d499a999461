import type { TunnelConnection, TunnelTransport } from '@sallyport/core'
import { createCaseClock } from './case-clock.ts'
import type { Claims } from './case.ts'
import { caseLimitMs } from './limits.ts'
import { within } from './probe.ts'
import type { TransportCaseName } from './transport-cases.ts'
import type { Stranger, TransportCase, TransportDeps, TransportFeature } from './transport-cases/transport-case.ts'

/** One transport and how it is made. */
export interface TransportSubject extends Claims<TransportFeature, TransportCaseName> {
  /** A fresh transport that can dial and listen. Its time is the clock's. */
  readonly create: (deps: TransportDeps) => TunnelTransport
  /** Where to listen: port 0 or a name that nobody else uses. */
  readonly endpoint: () => URL
  /** Who must not get through, for `peerIdentity`: other certificates, and ones that check ours against another authority. */
  readonly strangers?: (deps: TransportDeps) => readonly Stranger[]
  /** Clock time within which a silent peer has to be noticed; the default is one minute. */
  readonly silenceMs?: number
  /** Longest wait of a case; the default is ten seconds. Broken subjects are given less. */
  readonly limitMs?: number
}

/** Runs one case outside of a test runner's table, for example against a transport that is broken on purpose. */
export async function runTransportCase(
  test: TransportCase,
  subject: Pick<TransportSubject, 'create' | 'endpoint' | 'strangers' | 'silenceMs' | 'limitMs'>,
): Promise<void> {
  const clock = createCaseClock()
  const signal = AbortSignal.timeout(subject.limitMs ?? caseLimitMs)
  const transport = subject.create({ clock })
  const arrived: TunnelConnection[] = []
  const all: TunnelConnection[] = []
  let whenArrived: () => void = () => {}
  const listener = await transport.listen(subject.endpoint(), {
    onConnection(connection) {
      arrived.push(connection)
      all.push(connection)
      whenArrived()
    },
  })
  try {
    await test.run({
      clock,
      transport,
      listener,
      arrived,
      signal,
      strangers: subject.strangers?.({ clock }) ?? [],
      silenceMs: subject.silenceMs ?? 60_000,
      async connect(endpoint = listener.endpoint) {
        const count = arrived.length
        const isThere = new Promise<void>((resolve) => {
          whenArrived = resolve
        })
        const near = await within(transport.connect(endpoint, { signal }), signal, 'the connection')
        all.push(near)
        if (arrived.length === count) await within(isThere, signal, 'the far end of the connection')
        const far = arrived[count]
        if (far === undefined) throw new Error('the connection has no far end')
        return { near, far }
      },
    })
  } finally {
    for (const connection of all) connection.abort(new Error('the case is over'))
    await reasonOfAny(listener.close())
  }
}

/** A case may have closed the listener, or a broken one may not close: neither is the point here. */
async function reasonOfAny(work: Promise<unknown>): Promise<void> {
  await Promise.race([work.catch(() => undefined), new Promise((resolve) => setTimeout(resolve, 100).unref())])
}
