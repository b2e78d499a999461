import type { AuditSink, Clock } from '@sallyport/core'
import { maxRefusalAddresses, maxToldCertificateRefusals, maxToldNameLength, maxToldRefusals, refusalsPeriodMs } from '../limits.ts'

/** Somebody has not been let in: as whom, from where, and why. */
export type OnRefused = (name: string, address: string, reason: string) => void

/**
 * Tells the audit log who was not let in: `maxToldRefusals` of an address within `refusalsPeriodMs`, whatever names and certificates it shows, since refusals cost
 * whoever provokes them little. How many were left out stands in the next one that is told.
 */
export function createLogOnRefusals(
  audit: Pick<AuditSink, 'write'>,
  clock: Clock,
): { readonly ofPassword: OnRefused; readonly ofCertificate: OnRefused } {
  const passwords = createRefusalLimit(clock, maxToldRefusals)
  const certificates = createRefusalLimit(clock, maxToldCertificateRefusals)
  const tell =
    (limit: RefusalLimit): OnRefused =>
    (name, address, reason) => {
      const leftOut = limit(address)
      if (leftOut === undefined) return
      const user = shortened(name)
      const others = leftOut === 0 ? '' : `; ${leftOut} refusals before it, from this address, were not written`
      audit.write({
        type: 'log-on-refused',
        subaccount: '',
        user,
        message: `Log-on of user ${user} from ${address} was refused: ${reason}${others}`,
      })
    }
  return { ofPassword: tell(passwords), ofCertificate: tell(certificates) }
}

/** How many refusals of an address were left out since the last one that was told; `undefined` when this one is left out as well. */
type RefusalLimit = (address: string) => number | undefined

function createRefusalLimit(clock: Clock, maxTold: number): RefusalLimit {
  const periods = new Map<string, { readonly untilMs: number; told: number; leftOut: number }>()
  return (address) => {
    const now = clock.elapsed()
    const known = periods.get(address)
    if (known !== undefined && known.untilMs > now) {
      if (known.told >= maxTold) {
        known.leftOut += 1
        return undefined
      }
      known.told += 1
      return 0
    }
    periods.delete(address)
    const oldest = periods.size < maxRefusalAddresses ? undefined : periods.keys().next().value
    if (oldest !== undefined) periods.delete(oldest)
    periods.set(address, { untilMs: now + refusalsPeriodMs, told: 1, leftOut: 0 })
    return known?.leftOut ?? 0
  }
}

function shortened(name: string): string {
  return name.length <= maxToldNameLength ? name : `${name.slice(0, maxToldNameLength)}…`
}
