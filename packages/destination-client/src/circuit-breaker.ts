import { type Clock, ConnectivityError } from '@sallyport/core'
import { createBoundedMap } from './bounded-map.ts'
import { circuitCalls, circuitFailures, maxCircuits } from './limits.ts'

/**
 * Spares a service that is in trouble, and callers the wait for it. Each tenant has a circuit of its own: it opens when half of the last ten calls have
 * failed, lets one call through when `openMs` are over, and closes when that one succeeds.
 *
 * Only failures of the service count: no connection, no answer in time, 408, 429 and 5xx. A refusal is an answer.
 */
export interface CircuitBreaker {
  /** @throws ConnectivityError `SERVICE_UNAVAILABLE` without a call while the circuit is open; else what the call throws. */
  run<T>(tenant: string, attempt: string, call: () => Promise<T>): Promise<T>
}

/** State of one tenant: outcomes of its last calls while `openUntilMs` is 0; afterwards whether the one trial is under way. */
interface Circuit {
  readonly failed: boolean[]
  openUntilMs: number
  onTrial: boolean
}

/** Makes the circuits of one service. `openMs` 0: they never open. */
export function createCircuitBreaker({ clock, openMs }: { readonly clock: Clock; readonly openMs: number }): CircuitBreaker {
  const circuits = createBoundedMap<Circuit>(maxCircuits)

  const record = (tenant: string, circuit: Circuit, failed: boolean): void => {
    if (circuit.openUntilMs > 0) {
      circuit.onTrial = false
      if (failed) circuit.openUntilMs = clock.now() + openMs
      else circuits.delete(tenant)
      return
    }
    circuit.failed.push(failed)
    if (circuit.failed.length > circuitCalls) circuit.failed.shift()
    if (circuit.failed.length === circuitCalls && circuit.failed.filter(Boolean).length >= circuitFailures) {
      circuit.openUntilMs = clock.now() + openMs
    }
  }

  return {
    async run(tenant, attempt, call) {
      if (openMs <= 0) return call()
      const known = circuits.get(tenant)
      const circuit = known ?? { failed: [], openUntilMs: 0, onTrial: false }
      if (known === undefined) circuits.set(tenant, circuit)
      if (circuit.openUntilMs > 0) {
        const waitMs = circuit.openUntilMs - clock.now()
        if (circuit.onTrial || waitMs > 0) throw openError(attempt, Math.max(waitMs, 0))
        circuit.onTrial = true
      }
      try {
        const result = await call()
        record(tenant, circuit, false)
        return result
      } catch (error) {
        record(tenant, circuit, ConnectivityError.is(error) && serviceFailures.has(error.code))
        throw error
      }
    },
  }
}

const serviceFailures: ReadonlySet<string> = new Set(['SERVICE_UNAVAILABLE', 'PEER_UNREACHABLE', 'PEER_UNTRUSTED', 'DEADLINE_EXCEEDED'])

function openError(attempt: string, waitMs: number): ConnectivityError {
  const when = waitMs === 0 ? 'one call is finding out whether it has recovered' : `the next call is made in ${Math.ceil(waitMs / 1000)} s`
  return new ConnectivityError('SERVICE_UNAVAILABLE', `${attempt}: not asked, because the last calls have failed; ${when}`, {
    details: { circuit: 'open' },
  })
}
