import { type AuditSink, type Clock, ConnectivityError, type Logger } from '@sallyport/core'
import type { EntityRepository, FoundEntity, Level } from '../entities/entity-repository.ts'
import { expiryNoticeDays, expiryNoticeLeaseMs, expiryNoticeTimeoutMs, firstUpkeepMs, upkeepIntervalMs } from '../limits.ts'
import { type CertificateRecord, readRecord } from './certificate-record.ts'
import { expiryEventOf, type ExpiryNotifier } from './expiry-event.ts'
import type { ExpiryNotices } from './expiry-notices.ts'
import type { CertificateGenerator } from './generated-certificate.ts'
import { renewalLeadMs } from './validity.ts'

/** What a look at all certificates has done. */
export interface UpkeepReport {
  readonly renewed: number
  readonly notified: number
  /** Tried in vain; the next look tries again. */
  readonly failed: number
}

/** Renews generated certificates in time, and tells of those that nobody renews. */
export interface CertificateUpkeep {
  /** Looks at all certificates now; callers at the same time share one look. */
  run(): Promise<UpkeepReport>
  /**
   * Renews a generated certificate now, whenever it ends: with the attributes that it was made with, under its name. `uploaded` for one that was not generated
   * here, `changed` when somebody wrote or deleted it at the same moment.
   *
   * @throws ConnectivityError what making keys throws, `SERVICE_UNAVAILABLE` while changes cannot be audited.
   */
  renew(found: FoundEntity, user: string): Promise<'renewed' | 'uploaded' | 'changed'>
  /** Looks soon, and then every hour, until `close`. */
  start(): void
  /** Ends what is under way after the certificate at hand. */
  close(): Promise<void>
}

const dayMs = 86_400_000

/** One failing certificate never keeps the others waiting; while changes cannot be audited nothing is renewed. */
export function createCertificateUpkeep(deps: {
  readonly repository: EntityRepository
  readonly generator: CertificateGenerator
  readonly notices: ExpiryNotices
  readonly notifier: ExpiryNotifier | undefined
  readonly audit: AuditSink | undefined
  readonly clock: Clock
  readonly log: Logger
}): CertificateUpkeep {
  const { repository, generator, notices, notifier, audit, clock, log } = deps
  const closing = new AbortController()
  let cancel = (): void => {}
  let running: Promise<UpkeepReport> | undefined

  async function lookAtAll(): Promise<UpkeepReport> {
    const report = { renewed: 0, notified: 0, failed: 0 }
    const failed = (level: Level, certificate: string, error: unknown): void => {
      report.failed++
      log.warn({ subaccount: level.subaccountId, certificate, code: codeOf(error), reason: reasonOf(error) }, 'certificate upkeep failed')
    }
    for await (const found of repository.all('certificate', failed)) {
      if (closing.signal.aborted) break
      try {
        const done = await lookAt(found)
        if (done !== undefined) report[done]++
      } catch (error) {
        failed(found.level, found.entity.name, error)
      }
    }
    await notices.forgetEnded(clock.now())
    if (report.renewed + report.notified + report.failed > 0) log.info(report, 'certificates looked at')
    return report
  }

  async function lookAt(found: FoundEntity): Promise<'renewed' | 'notified' | undefined> {
    const { expiresAtMs, generated } = readRecord(found.entity.hidden)
    if (expiresAtMs === undefined) return undefined
    const leftMs = expiresAtMs - clock.now()
    if (generated?.attributes.automaticRenew === true) {
      return leftMs <= renewalLeadMs(generated.attributes.validity) && (await renew(found, generated, 'automatic renewal'))
        ? 'renewed'
        : undefined
    }
    const days = expiryNoticeDays.findLast((threshold) => leftMs <= threshold * dayMs)
    return days !== undefined && leftMs > 0 && (await tell(found, { expiresAtMs, days })) ? 'notified' : undefined
  }

  async function renew(
    { level, entity }: FoundEntity,
    generated: NonNullable<CertificateRecord['generated']>,
    user: string,
  ): Promise<boolean> {
    requireAudit()
    const { content, hidden } = await generator.generate({ name: entity.name, subaccountId: level.subaccountId, ...generated })
    const properties = { ...entity.properties, Content: content.toString('base64') }
    const write = { name: entity.name, properties, hidden, sharedWithSubscriber: entity.sharedWithSubscriber }
    const [outcome] = await repository.replace('certificate', level, [write], { nowMs: clock.now(), unchangedSinceMs: entity.modifiedAtMs })
    // Deleted or written meanwhile, by its owner or by another replica: what they did stays.
    if (outcome !== 'replaced') return false
    log.info({ subaccount: level.subaccountId, certificate: entity.name, instance: level.instanceId }, 'certificate renewed')
    audit?.write({
      type: 'configuration-changed',
      subaccount: level.subaccountId,
      category: 'Certificate',
      user,
      message: `certificate ${entity.name} renewed${level.instanceId === null ? '' : ` on instance ${level.instanceId}`}`,
    })
    await audit?.flushed()
    return true
  }

  async function tell(
    { level, entity }: FoundEntity,
    { expiresAtMs, days }: { readonly expiresAtMs: number; readonly days: number },
  ): Promise<boolean> {
    requireAudit()
    const notice = { level, name: entity.name, expiresAtMs, days }
    if (!(await notices.claim(notice, { nowMs: clock.now(), leaseMs: expiryNoticeLeaseMs }))) return false
    const event = expiryEventOf(notice)
    try {
      await notifier?.notify(event, AbortSignal.any([closing.signal, AbortSignal.timeout(expiryNoticeTimeoutMs)]))
    } catch (error) {
      await notices.giveBack(notice)
      throw error
    }
    await notices.told(notice)
    log.warn({ subaccount: level.subaccountId, certificate: entity.name, instance: level.instanceId, days }, 'certificate expires soon')
    audit?.write({ type: 'certificate-expiring', subaccount: level.subaccountId, category: 'Certificate', user: '', message: event.body })
    await audit?.flushed()
    return true
  }

  function requireAudit(): void {
    if (audit?.failing === true)
      throw new ConnectivityError('SERVICE_UNAVAILABLE', 'nothing is renewed while the audit log cannot be written')
  }

  function schedule(delayMs: number): void {
    cancel = clock.after(delayMs, () => {
      void upkeep
        .run()
        .catch((error: unknown) => log.error({ code: codeOf(error), reason: reasonOf(error) }, 'certificates cannot be looked at'))
        .finally(() => {
          if (!closing.signal.aborted) schedule(upkeepIntervalMs)
        })
    })
  }

  const upkeep: CertificateUpkeep = {
    run() {
      running ??= lookAtAll().finally(() => (running = undefined))
      return running
    },
    async renew(found, user) {
      const { generated } = readRecord(found.entity.hidden)
      if (generated === undefined) return 'uploaded'
      return (await renew(found, generated, user)) ? 'renewed' : 'changed'
    },
    start: () => schedule(firstUpkeepMs),
    async close() {
      closing.abort()
      cancel()
      // Whoever started it has seen the failure.
      await running?.catch(() => {})
    },
  }
  return upkeep
}

function codeOf(error: unknown): string {
  return ConnectivityError.is(error) ? error.code : 'UNKNOWN'
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown'
}
