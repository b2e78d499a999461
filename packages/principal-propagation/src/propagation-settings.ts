import { ConnectivityError } from '@sallyport/core'
import { maxToleranceHours, maxValidityMinutes, minToleranceHours, minValidityMinutes } from './limits.ts'

/** `ppSettings` of the administration API, with its names. */
export interface PropagationSettings {
  readonly expirationToleranceInHr: number
  readonly certificateValidityInMin: number
}

const ranges: Readonly<Record<keyof PropagationSettings, readonly [number, number]>> = {
  expirationToleranceInHr: [minToleranceHours, maxToleranceHours],
  certificateValidityInMin: [minValidityMinutes, maxValidityMinutes],
}

/**
 * Checks settings that somebody wants to set. Both are needed, unless `current` says what applies to the one that is missing; at least one always is.
 *
 * @throws ConnectivityError `MESSAGE_INVALID` that names every problem.
 */
export function parsePropagationSettings(value: unknown, current?: PropagationSettings): PropagationSettings {
  const given = typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
  const names = Object.keys(ranges) as (keyof PropagationSettings)[]
  const problems = names.flatMap((name) => {
    const [min, max] = ranges[name]
    if (given[name] === undefined) return current === undefined ? [`${name} is missing`] : []
    return isIntegerWithin(given[name], min, max) ? [] : [`${name} is not a whole number from ${min} to ${max}`]
  })
  if (current !== undefined && names.every((name) => given[name] === undefined)) problems.push(`none of ${names.join(', ')} is given`)
  if (problems.length > 0) throw new ConnectivityError('MESSAGE_INVALID', `principal propagation settings: ${problems.join('; ')}`)
  return {
    expirationToleranceInHr: (given['expirationToleranceInHr'] ?? current?.expirationToleranceInHr) as number,
    certificateValidityInMin: (given['certificateValidityInMin'] ?? current?.certificateValidityInMin) as number,
  }
}

/** @throws ConnectivityError `CONFIGURATION_INVALID`. */
export function requireInteger(name: string, value: number, min: number, max: number): void {
  if (!isIntegerWithin(value, min, max))
    throw new ConnectivityError('CONFIGURATION_INVALID', `${name} is not a whole number from ${min} to ${max}`)
}

function isIntegerWithin(value: unknown, min: number, max: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
}
