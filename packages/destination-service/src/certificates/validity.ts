/** How long a certificate is to be valid, as it was asked for: renewals use the same again. */
export interface Validity {
  readonly unit: ValidityUnit
  readonly value: number
}

export type ValidityUnit = (typeof validityUnits)[number]

/** The units of the API. */
export const validityUnits = ['DAYS', 'MONTHS', 'YEARS'] as const

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** The end of a validity that begins now. Months and years are those of the calendar (UTC); the 31st becomes the last day of a shorter month. */
export function endOfValidity(fromMs: number, { unit, value }: Validity): number {
  if (unit === 'DAYS') return fromMs + value * dayMs
  const from = new Date(fromMs)
  const months = unit === 'MONTHS' ? value : 12 * value
  const end = new Date(fromMs)
  end.setUTCDate(1)
  end.setUTCMonth(from.getUTCMonth() + months)
  const lastDay = new Date(Date.UTC(end.getUTCFullYear(), end.getUTCMonth() + 1, 0)).getUTCDate()
  end.setUTCDate(Math.min(from.getUTCDate(), lastDay))
  return end.getTime()
}

/** How long before its end a certificate is renewed first ("Automatic Renewal of Generated Certificates"); a failure is tried again with the next run. */
export function renewalLeadMs({ unit, value }: Validity): number {
  const [shortest, medium, longer] = unit === 'DAYS' ? [14, 31, 154] : unit === 'MONTHS' ? [0, 1, 5] : [0, 0, 0]
  if (unit === 'DAYS' && value <= 1) return 12 * hourMs
  if (value <= shortest) return dayMs
  if (value <= medium) return 3 * dayMs
  if (value <= longer) return 7 * dayMs
  return 30 * dayMs
}
