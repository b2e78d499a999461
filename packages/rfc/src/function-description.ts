import type { DeepType } from '@sallyport/rfc-wire'

/** The interface of a function module, as the repository of the system has it. */
export interface FunctionDescription {
  /** Upper case, with the namespace (`/ACME/READ`). */
  readonly name: string
  readonly parameters: readonly FunctionParameter[]
  /** Exceptions that it may raise, where the source names them. */
  readonly exceptions: readonly string[]
}

/** One parameter of a function module. */
export interface FunctionParameter {
  readonly name: string
  /** As the function module sees it: `importing` goes there, `exporting` comes back, the others do both. */
  readonly direction: 'importing' | 'exporting' | 'changing' | 'tables'
  readonly type: DeepType
  readonly isOptional: boolean
}
