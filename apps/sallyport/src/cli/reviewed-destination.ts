import { reviewDestination } from '@sallyport/admin-api'
import { ConnectivityError } from '@sallyport/core'
import type { Printer } from '../output/printer.ts'

/** Says what is no good idea, and refuses what cannot work. @throws ConnectivityError `DESTINATION_INVALID`, unless forced. */
export function reviewed(printer: Printer, properties: Readonly<Record<string, unknown>>, force: boolean): void {
  const texts = Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, String(value)]))
  const remarks = reviewDestination(texts)
  for (const { property, message } of remarks.filter(({ severity }) => severity === 'warning' || force)) {
    printer.note(`warning: ${property}: ${message}`)
  }
  const errors = remarks.filter(({ severity }) => severity === 'error')
  if (errors.length === 0 || force) return
  throw new ConnectivityError('DESTINATION_INVALID', errors.map(({ property, message }) => `${property}: ${message}`).join('; '), {
    details: { next: 'mend it, or add --force to have it stored as it is' },
  })
}
