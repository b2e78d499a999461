import { ConnectivityError, type Secret } from '@sallyport/core'

/** One service binding of the application, wherever it was found. */
export interface ServiceBinding {
  readonly name: string
  /** The kind of service: `destination`, `connectivity`, `xsuaa`, … */
  readonly label: string
  readonly plan: string
  readonly tags: readonly string[]
  readonly instanceGuid: string | undefined
  readonly credentials: Secret<Readonly<Record<string, unknown>>>
  /** Where it was found, for messages: a variable or a path. */
  readonly source: string
}

/**
 * Picks the binding of a service by label, or by tag where no label matches. Several are an error unless `name` says which,
 * because a wrong guess shows other people's destinations.
 *
 * @throws ConnectivityError `BINDING_INVALID` when there is none or more than one.
 */
export function selectBinding(
  bindings: readonly ServiceBinding[],
  { service, name }: { readonly service: string; readonly name?: string },
): ServiceBinding {
  const byLabel = bindings.filter((binding) => binding.label === service)
  const ofService = byLabel.length > 0 ? byLabel : bindings.filter((binding) => binding.tags.includes(service))
  const candidates = name === undefined ? ofService : ofService.filter((binding) => binding.name === name)
  // Clients look at the next source only when the one before has nothing.
  const found = candidates.filter((binding) => binding.source === candidates[0]?.source)
  const [binding] = found
  if (binding === undefined) {
    throw new ConnectivityError(
      'BINDING_INVALID',
      `no binding of the service "${service}"${name === undefined ? '' : ` named "${name}"`}; found ${list(bindings)}`,
    )
  }
  if (found.length > 1) {
    throw new ConnectivityError('BINDING_INVALID', `several bindings of the service "${service}": ${list(found)}; say which by name`)
  }
  return binding
}

function list(bindings: readonly ServiceBinding[]): string {
  return bindings.length === 0 ? 'no bindings at all' : bindings.map(({ name, label }) => `"${name}" (${label})`).join(', ')
}
