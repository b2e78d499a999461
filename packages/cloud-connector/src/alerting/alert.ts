import type { AlertCategory } from '@sallyport/admin-api'

/** Something that is wrong now. Two of the same key are the same. */
export interface AlertCondition {
  readonly key: string
  readonly category: AlertCategory
  readonly type: AlertType
  readonly message: string
  /** What is said when it is over. */
  readonly recovery: string
  /** `<subaccount>@<regionHost>` where several of a type can stand side by side. */
  readonly entity: string
  /** How soon it is said again while it lasts; it is not when left out. */
  readonly repeatMs?: number
}

/** Kinds of alerts, in the original's words as far as it has them. */
export type AlertType =
  | 'Disk'
  | 'CPU'
  | 'UICertificate'
  | 'SystemCertificate'
  | 'CACertificate'
  | 'SubaccountCertificate'
  | 'Tunnel'
  | 'ServiceChannel'
  | 'HA'
  | 'Diagnosis'

/** One line of the list of alerts. Plain data. */
export interface Alert {
  readonly id: number
  readonly timestampMs: number
  /** `Info`: what was wrong is right again. */
  readonly status: 'Warning' | 'Info'
  readonly category: AlertCategory
  readonly type: AlertType
  readonly origin: 'Master' | 'Shadow'
  readonly message: string
  readonly entity: string
}
