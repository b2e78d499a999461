import { type Answer, refuse } from '../http/answer.ts'
import type { Caller } from './caller.ts'

/** Who may call, or what somebody who may not is told. */
export type Admission = { readonly admitted: true; readonly caller: Caller } | { readonly admitted: false; readonly answer: Answer }

/** A refusal to admit somebody. */
export function refused(status: 401 | 403 | 503, message: string): { readonly admitted: false; readonly answer: Answer } {
  return { admitted: false, answer: refuse(status, message, status === 401 ? { 'www-authenticate': 'Bearer' } : {}) }
}
