import type { Alert } from '../alerting/alert.ts'

/** `GET /api/monitoring/alerts` */
export function renderAlerts(alerts: readonly Alert[]): unknown {
  return {
    alerts: alerts.map(({ entity, message, origin, status, timestampMs, type }) => ({
      timestamp: timestampMs,
      status,
      type,
      origin,
      message,
      entity,
    })),
    version: 1,
  }
}
