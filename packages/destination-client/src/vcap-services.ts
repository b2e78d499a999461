import { ConnectivityError, createSecret } from '@sallyport/core'
import { maxBindingBytes } from './limits.ts'
import type { ServiceBinding } from './service-binding.ts'

/** Reads the services object: label -> list of bindings. A file may also hold it inside `VCAP_SERVICES`, as `default-env.json` does. */
export function parseVcapServices(text: string, source: string): ServiceBinding[] {
  const invalid = (what: string): ConnectivityError => new ConnectivityError('BINDING_INVALID', `${source}: ${what}`)
  if (text.length > maxBindingBytes) throw invalid('too large')
  let services: unknown
  try {
    services = JSON.parse(text)
  } catch {
    // The parser's own message quotes the text, which holds secrets.
    throw invalid('not JSON')
  }
  if (isObject(services) && isObject(services['VCAP_SERVICES'])) services = services['VCAP_SERVICES']
  if (!isObject(services)) throw invalid('not an object of services')
  return Object.entries(services).flatMap(([label, instances]) => {
    if (!Array.isArray(instances)) throw invalid(`"${label}" is not a list`)
    return instances.map((instance: unknown, index) => {
      if (!isObject(instance) || !isObject(instance['credentials'])) throw invalid(`${label}[${index}] has no credentials`)
      return {
        name: textOf(instance['name']) ?? label,
        label: textOf(instance['label']) ?? label,
        plan: textOf(instance['plan']) ?? '',
        tags: Array.isArray(instance['tags']) ? instance['tags'].filter((tag): tag is string => typeof tag === 'string') : [],
        instanceGuid: textOf(instance['instance_guid']),
        credentials: createSecret(instance['credentials']),
        source,
      }
    })
  })
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
