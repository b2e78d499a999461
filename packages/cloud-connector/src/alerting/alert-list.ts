import { maxAlerts } from '../limits.ts'
import type { Alert, AlertCondition } from './alert.ts'

/** What of the list is kept between two starts. */
export interface KeptAlerts {
  readonly nextId: number
  readonly alerts: readonly Alert[]
  readonly active: readonly ActiveCondition[]
}

interface ActiveCondition {
  readonly condition: AlertCondition
  /** When it was said last. */
  readonly toldMs: number
  /** Its line in the list; there is none when somebody has deleted it. */
  readonly alertId: number
}

/** The alerts that administrators see, and what they are told. */
export interface AlertList {
  /** Newest first. */
  readonly alerts: readonly Alert[]
  readonly kept: KeptAlerts
  /**
   * Takes over what holds of one kind of conditions, by the beginning of their keys, and returns what is to be told. What lasts is told once, or when its time
   * has come again; what is over is replaced by an entry that says so; what was deleted and lasts stands in the list again, and is not told.
   */
  update(kind: string, conditions: readonly AlertCondition[], nowMs: number): readonly Alert[]
  delete(id: number): boolean
  deleteAll(): void
}

/** Goes on from what was kept. */
export function createAlertList(origin: () => Alert['origin'], before: KeptAlerts = { nextId: 1, alerts: [], active: [] }): AlertList {
  let { nextId } = before
  let alerts: readonly Alert[] = before.alerts
  const active = new Map(before.active.map((each) => [each.condition.key, each]))

  const put = (condition: AlertCondition, status: Alert['status'], message: string, timestampMs: number): Alert => {
    const { category, entity, type } = condition
    const alert: Alert = { id: nextId++, timestampMs, status, category, type, origin: origin(), message, entity }
    alerts = [alert, ...alerts].slice(0, maxAlerts)
    return alert
  }
  const remove = (id: number): void => {
    alerts = alerts.filter((alert) => alert.id !== id)
  }
  const takeOver = (condition: AlertCondition, nowMs: number): Alert | undefined => {
    const known = active.get(condition.key)
    const isDue = known === undefined || (condition.repeatMs !== undefined && nowMs - known.toldMs >= condition.repeatMs)
    const isListed = known !== undefined && alerts.some(({ id }) => id === known.alertId)
    if (!isDue && isListed) {
      active.set(condition.key, { ...known, condition })
      return undefined
    }
    if (isListed) remove(known.alertId)
    const alert = put(condition, 'Warning', condition.message, nowMs)
    active.set(condition.key, { condition, alertId: alert.id, toldMs: isDue ? nowMs : known.toldMs })
    return isDue ? alert : undefined
  }
  return {
    get alerts() {
      return alerts
    },
    get kept() {
      return { nextId, alerts, active: [...active.values()] }
    },
    update(kind, conditions, nowMs) {
      const told: Alert[] = []
      const now = new Set(conditions.map(({ key }) => key))
      for (const [key, { alertId, condition }] of active) {
        if (!key.startsWith(`${kind} `) || now.has(key)) continue
        active.delete(key)
        remove(alertId)
        told.push(put(condition, 'Info', condition.recovery, nowMs))
      }
      for (const condition of conditions) {
        const alert = takeOver(condition, nowMs)
        if (alert !== undefined) told.push(alert)
      }
      return told
    },
    delete(id) {
      const known = alerts.some((alert) => alert.id === id)
      remove(id)
      return known
    },
    deleteAll() {
      alerts = []
    },
  }
}
