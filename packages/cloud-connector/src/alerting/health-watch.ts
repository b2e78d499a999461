import type { AlertingSettings, EmailSettings, WebhookSettings } from '@sallyport/admin-api'
import { type Clock, ConnectivityError, createTurnQueue, type Logger, silentLogger, underSignal } from '@sallyport/core'
import type { MaterialStore } from '../identity/material-store.ts'
import { healthCheckMs, healthProbeMs } from '../limits.ts'
import type { Alert, AlertCondition } from './alert.ts'
import { createAlertDelivery } from './alert-delivery.ts'
import { type AlertList, createAlertList, type KeptAlerts } from './alert-list.ts'
import { createMailSender } from './send-mail.ts'
import { createWebhookSender } from './send-webhook.ts'

const materialName = 'alerts'

/** What administrators have set. Asked for whenever it matters, so a change holds from then on. */
export interface AlertSettings {
  readonly alerting: AlertingSettings
  readonly email: EmailSettings
  readonly webhook: WebhookSettings
}

/**
 * Looks at one kind of thing that can be wrong; all keys of its conditions begin with `<kind> `. When it cannot look, what was wrong before stays so.
 */
export interface HealthProbe {
  readonly kind: string
  look(settings: AlertingSettings, nowMs: number): readonly AlertCondition[] | Promise<readonly AlertCondition[]>
}

/** Looks every minute at everything that can be wrong, lists it and tells it. */
export interface HealthWatch {
  /** Newest first. */
  readonly alerts: readonly Alert[]
  /** Looks now. Settles when the list is up to date and kept; sending may take longer. */
  check(): Promise<void>
  /** Takes an alert off the list; one that lasts stands there again after the next check. */
  delete(id: number): Promise<boolean>
  deleteAll(): Promise<void>
  /** Settles when nothing waits to be sent. */
  sent(): Promise<void>
  close(): Promise<void>
}

/** Begins to watch; the first look is made at once. */
export async function startHealthWatch(options: {
  readonly probes: readonly HealthProbe[]
  readonly settings: () => AlertSettings
  readonly material: MaterialStore
  readonly clock: Clock
  readonly isMaster?: () => boolean
  readonly log?: Logger
}): Promise<HealthWatch> {
  const { clock, isMaster = () => true, log = silentLogger, material, settings } = options
  const list: AlertList = createAlertList(() => (isMaster() ? 'Master' : 'Shadow'), await restore(material, log))
  const deliveries = [
    createAlertDelivery({
      name: 'mail',
      send: () => (settings().email.enabled ? createMailSender(settings().email, log) : undefined),
      clock,
      log,
    }),
    createAlertDelivery({
      name: 'webhook',
      send: () => (settings().webhook.enabled ? createWebhookSender(settings().webhook, clock.now) : undefined),
      clock,
      log,
    }),
  ]
  let closed = false
  let cancel = (): void => {}
  let keptText = ''
  const { idle, inTurn } = createTurnQueue()

  const keep = async (): Promise<void> => {
    const text = JSON.stringify(list.kept)
    if (text === keptText) return
    try {
      await material.save(materialName, text)
      keptText = text
    } catch (error) {
      log.warn({ reason: reasonOf(error) }, 'the list of alerts is not kept')
    }
  }
  const tell = (alert: Alert): void => {
    log.info(
      { alert: alert.type, entity: alert.entity, status: alert.status },
      alert.status === 'Info' ? 'an alert is over' : 'there is an alert',
    )
    if (!settings().alerting.notification[alert.category]) return
    for (const delivery of deliveries) delivery.deliver(alert)
  }
  const lookOnce = async ({ kind, look }: HealthProbe): Promise<void> => {
    try {
      const conditions = await withinTime(clock, look(settings().alerting, clock.now()))
      for (const alert of list.update(kind, conditions, clock.now())) tell(alert)
    } catch (error) {
      log.warn({ probe: kind, reason: reasonOf(error) }, 'a health check could not look')
    }
  }
  const check = (): Promise<void> =>
    inTurn(async () => {
      if (closed) return
      for (const probe of options.probes) await lookOnce(probe)
      await keep()
    })
  const turn = (): void => {
    cancel = clock.after(healthCheckMs, turn)
    void check()
  }
  turn()
  return {
    get alerts() {
      return list.alerts
    },
    check,
    async delete(id) {
      const known = list.delete(id)
      await inTurn(keep)
      return known
    },
    async deleteAll() {
      list.deleteAll()
      await inTurn(keep)
    },
    async sent() {
      await idle()
      await Promise.all(deliveries.map((delivery) => delivery.idle()))
    },
    async close() {
      closed = true
      cancel()
      for (const delivery of deliveries) delivery.close()
      await idle()
    },
  }
}

async function withinTime<T>(clock: Clock, work: T | Promise<T>): Promise<T> {
  if (!(work instanceof Promise)) return work
  const late = new AbortController()
  const cancel = clock.after(healthProbeMs, () => late.abort(new DOMException('late', 'TimeoutError')))
  try {
    return await underSignal(work, late.signal, 'look at the state of the connector')
  } finally {
    cancel()
  }
}

async function restore(material: MaterialStore, log: Logger): Promise<KeptAlerts | undefined> {
  try {
    const text = await material.load(materialName)
    return text === undefined ? undefined : (JSON.parse(text) as KeptAlerts)
  } catch (error) {
    log.warn({ reason: reasonOf(error) }, 'the list of alerts is begun anew')
    return undefined
  }
}

function reasonOf(error: unknown): string {
  if (ConnectivityError.is(error)) return error.message
  return (error as NodeJS.ErrnoException).code ?? 'unknown'
}
