import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { type ConnectContext, ConnectivityError, silentLogger } from '@sallyport/core'
import { describe, expect, it } from 'vitest'
import { soapDestination } from '../../conformance/soap-client.ts'
import type { ConnectSoapCarrier, SoapCarrier } from './soap-carrier.ts'
import { createSoapCarriers, type SoapCarriers } from './soap-carriers.ts'

const destination = soapDestination('http://erp.virtual')
const carrier: SoapCarrier = { request: () => Promise.reject(new Error('nobody asks')), async [Symbol.asyncDispose]() {} }

/** Carriers that are opened as the test says, and a way to ask for the one of the destination. */
function startCarriers(connectHttp: ConnectSoapCarrier): {
  readonly carriers: SoapCarriers
  readonly closed: AbortController
  of(signal?: AbortSignal): Promise<SoapCarrier>
} {
  const closed = new AbortController()
  const context: ConnectContext = {
    dial: () => Promise.reject(new Error('nobody dials here')),
    credentials: { kind: 'none' },
    signal: new AbortController().signal,
    log: silentLogger,
  }
  const carriers = createSoapCarriers({ connectHttp, technicalPrincipal: undefined, context, closed: closed.signal })
  const of = (signal: AbortSignal = new AbortController().signal): Promise<SoapCarrier> =>
    carriers.of(destination, context.credentials, signal)
  return { carriers, closed, of }
}

/** An opening that ends when the test says, or with its signal. */
async function untilAborted(opened: Promise<SoapCarrier>, signal: AbortSignal): Promise<SoapCarrier> {
  const result = await Promise.race([opened, once(signal, 'abort')])
  signal.throwIfAborted()
  return result as SoapCarrier
}

describe('HTTP clients that many calls wait for', () => {
  it('are opened for the others when the first one gives up', async () => {
    const { promise, resolve } = Promise.withResolvers<SoapCarrier>()
    let openings = 0
    const { of } = startCarriers((_name, { signal }) => {
      openings += 1
      return untilAborted(promise, signal)
    })
    const giveUp = new AbortController()
    const first = of(giveUp.signal).catch((error: unknown) => error)
    const second = of()
    giveUp.abort()
    expect(await first).toMatchObject({ code: 'ABORTED' })
    await turn()
    const third = of()
    resolve(carrier)
    expect(await second).toBe(carrier)
    expect(await third).toBe(carrier)
    expect(openings).toBe(1)
  })

  it('let one give up who came later', async () => {
    const { promise, resolve } = Promise.withResolvers<SoapCarrier>()
    const { of } = startCarriers(() => promise)
    const first = of()
    await expect(of(AbortSignal.timeout(1))).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' })
    resolve(carrier)
    expect(await first).toBe(carrier)
  })

  it('are opened anew after a failure, once', async () => {
    let openings = 0
    const { of } = startCarriers(async () => {
      openings += 1
      if (openings === 1) throw new ConnectivityError('PEER_UNREACHABLE', 'nobody there')
      return carrier
    })
    const again = async (): Promise<SoapCarrier> => {
      await expect(of()).rejects.toMatchObject({ code: 'PEER_UNREACHABLE', details: { group: 'COMMUNICATION', requestSent: false } })
      return of()
    }
    expect(await Promise.all([again(), again()])).toEqual([carrier, carrier])
    expect(openings).toBe(2)
  })

  it('are opened no longer when the client is closed', async () => {
    const { of, closed, carriers } = startCarriers((_name, { signal }) => untilAborted(new Promise(() => {}), signal))
    const first = of().catch((error: unknown) => error)
    closed.abort()
    await carriers[Symbol.asyncDispose]()
    expect(await first).toMatchObject({ code: 'ABORTED' })
  })
})
