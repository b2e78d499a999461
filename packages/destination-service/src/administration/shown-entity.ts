import { type AdministeredEntity, isSecretProperty } from '@sallyport/admin-api'
import type { StoredEntity } from '../entities/entity-repository.ts'

/** A destination or fragment as people see it. */
export function shownEntity({ name, properties, labels, sharedWithSubscriber, modifiedAtMs }: StoredEntity): AdministeredEntity {
  const entries = Object.entries(properties)
  return {
    name,
    properties: Object.fromEntries(entries.filter(([key]) => !isSecretProperty(key))),
    // An empty secret is none; that it is empty may be seen.
    secrets: entries.filter(([key, value]) => isSecretProperty(key) && value !== '').map(([key]) => key),
    labels,
    sharedWithSubscriber,
    modifiedAtMs,
    version: versionOf({ modifiedAtMs }),
  }
}

/** Tells one state of an entity from another. The REST API's ETag would let viewers try out passwords, because it depends on them. */
export function versionOf({ modifiedAtMs }: Pick<StoredEntity, 'modifiedAtMs'>): string {
  return String(modifiedAtMs)
}
