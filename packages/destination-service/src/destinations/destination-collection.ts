import { checkDestination, destinationRecordSchema } from '@sallyport/admin-api'
import type { Collection } from '../entities/collection.ts'
import { notFound } from '../http/answer.ts'
import { findUseAsAssertionProvider } from './assertion-provider-use.ts'

/** `/v1/{subaccount,instance}Destinations` */
export const destinationCollection: Collection = {
  kind: 'destination',
  path: 'Destinations',
  nameProperty: 'Name',
  schema: destinationRecordSchema,
  filters: ['in', 'startswith', 'endswith', 'modifiedwithin', 'label'],
  bulk: true,
  absentDeletion: 'refused',
  absent: () => notFound,
  check(value, _target, { strictNames }) {
    const verdict = checkDestination(value, { strictNames })
    return verdict.valid ? { valid: true, write: { name: verdict.input.properties.Name, ...verdict.input } } : verdict
  },
  async refuseRemoval(names, level, context) {
    const uses = await findUseAsAssertionProvider(context, level, names)
    const [first] = uses
    if (first === undefined) return undefined
    const blocked = [...new Set(uses.map((use) => use.provider))].join(', ')
    return {
      single: `Cannot perform operation on the destination '${first.provider}' because it is used as an assertion provider for destination '${first.user}'`,
      bulk: `Unable to remove Configurations "[${blocked}]".`,
    }
  },
}
