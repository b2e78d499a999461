import type { AuditSink, Clock } from '@sallyport/core'
import { createLogOnLock } from './log-on-lock.ts'

/** Somebody has not been let in: as whom, from where, and why. */
export type OnRefused = (name: string, address: string, reason: string) => void

/**
 * Tells the audit log who was not let in. Wrong passwords are as many as the lock lets through; of certificates that are refused, which cost whoever shows them
 * nothing, five of an address are told within five minutes.
 */
export function createLogOnRefusals(
  audit: Pick<AuditSink, 'write'>,
  clock: Clock,
): { readonly ofPassword: OnRefused; readonly ofCertificate: OnRefused } {
  const told = createLogOnLock(clock)
  const ofPassword: OnRefused = (name, address, reason) =>
    audit.write({
      type: 'log-on-refused',
      subaccount: '',
      user: name,
      message: `Log-on of user ${name} from ${address} was refused: ${reason}`,
    })
  return {
    ofPassword,
    ofCertificate(name, address, reason) {
      if (told.isLocked(address)) return
      told.failed(address)
      ofPassword(name, address, reason)
    },
  }
}
