import {
  ConnectivityError,
  type CustomerKey,
  type KeyManagementSystem,
  maxWrappedKeyLength,
  underSignal,
  withDeadline,
} from '@sallyport/core'
import { keySystemTimeoutMs, sealKeyBytes } from '../limits.ts'
import { createSealKey, type SealKey } from '../sealed-text.ts'
import type { CustomerKeyRow } from './key-tables.ts'

/** The key management systems that an installation may use, by the names that the operator gave them. */
export type KeyManagementSystems = Readonly<Record<string, KeyManagementSystem>>

/** Has a wrapping key wrapped by the key of a customer, and looks whether it comes back. @throws ConnectivityError as {@link CustomerKey} does. */
export async function wrapWrappingKey(key: Buffer, by: CustomerKey): Promise<string> {
  const signal = withDeadline(keySystemTimeoutMs)
  const wrapped = await underSignal(by.wrap(key, signal), signal, 'wrapping a key')
  if (wrapped === '' || wrapped.length > maxWrappedKeyLength || !/^[\x20-\x7e]+$/.test(wrapped))
    throw new ConnectivityError(
      'PROTOCOL_VIOLATION',
      'wrapping a key: the key management system answered with something that is no wrapped key',
    )
  const unwrapped = await underSignal(by.unwrap(wrapped, signal), signal, 'unwrapping a key')
  if (!unwrapped.equals(key))
    throw new ConnectivityError(
      'PROTOCOL_VIOLATION',
      'the key management system does not give back what it has wrapped; nothing was changed',
    )
  return wrapped
}

/**
 * Has the wrapping key of a subaccount unwrapped. This is what requests wait for, so what is thrown says nothing of system and key.
 *
 * @throws ConnectivityError `ENCRYPTION_KEY_UNAVAILABLE` when the key must not be used, or the installation does not know the system any more;
 * `SERVICE_UNAVAILABLE` when the system does not answer.
 */
export async function unwrapWrappingKey(row: CustomerKeyRow, systems: KeyManagementSystems): Promise<SealKey> {
  const key = await underSignalOrNeutral(row, systems)
  const opened = key.length === sealKeyBytes ? createSealKey(key) : undefined
  if (opened?.id !== row.id) throw unavailable()
  return opened
}

async function underSignalOrNeutral(row: CustomerKeyRow, systems: KeyManagementSystems): Promise<Buffer> {
  const system = Object.hasOwn(systems, row.system) ? systems[row.system] : undefined
  if (system === undefined) throw unavailable()
  const signal = withDeadline(keySystemTimeoutMs)
  try {
    return await underSignal(system.key(row.key_name).unwrap(row.wrapped_key, signal), signal, 'unwrapping a key')
  } catch (error) {
    // What the system says is for "db customer-key status", not for callers and logs; so is the cause.
    if (isOutage(error)) throw keyFailure('SERVICE_UNAVAILABLE', 'the keys of a subaccount cannot be asked for at the moment')
    throw unavailable()
  }
}

/** Whether a failure says nothing about the key. */
export function isOutage(error: unknown): boolean {
  return ConnectivityError.is(error) && outages.has(error.code)
}
const outages: ReadonlySet<string> = new Set(['SERVICE_UNAVAILABLE', 'DEADLINE_EXCEEDED', 'PEER_UNREACHABLE', 'PEER_UNTRUSTED', 'ABORTED'])

function unavailable(): ConnectivityError {
  return keyFailure('ENCRYPTION_KEY_UNAVAILABLE', 'what the subaccount has stored is encrypted with a key that is not available')
}

/** Marked as a failure of the store too: it is not the fault of whatever is carried out with what was stored, and no business of callers. */
function keyFailure(code: 'ENCRYPTION_KEY_UNAVAILABLE' | 'SERVICE_UNAVAILABLE', message: string): ConnectivityError {
  return new ConnectivityError(code, message, { details: { store: true, customerKey: true } })
}

/** Failures that a key management system is the reason of. */
export function isKeyFailure(error: unknown): error is ConnectivityError {
  return ConnectivityError.is(error) && error.details['customerKey'] === true
}
