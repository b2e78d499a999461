import { type Clock, systemClock } from '@sallyport/core'
import { systemBindingFiles } from '../binding-files.ts'
import { readBindings } from '../read-bindings.ts'
import type { ServiceBinding } from '../service-binding.ts'

/**
 * What `connect` takes from the process it runs in where the caller hands nothing in: the service bindings of the
 * environment, and the time. The one place outside of `apps` that looks there, because it stands in for the application.
 */
export const application: { readonly clock: Clock; bindings(): Promise<readonly ServiceBinding[]> } = {
  clock: systemClock,
  bindings: () => readBindings({ environment: process.env, files: systemBindingFiles }),
}
