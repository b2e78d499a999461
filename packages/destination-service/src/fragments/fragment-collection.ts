import { checkFragment, fragmentRecordSchema } from '@sallyport/admin-api'
import type { Collection } from '../entities/collection.ts'
import { type Answer, refuse } from '../http/answer.ts'

/** `/v1/{subaccount,instance}DestinationFragments` */
export const fragmentCollection: Collection = {
  kind: 'fragment',
  path: 'DestinationFragments',
  nameProperty: 'FragmentName',
  schema: fragmentRecordSchema,
  filters: ['label'],
  bulk: false,
  absentDeletion: 'counted',
  absent: fragmentNotFound,
  check(value, _target, { strictNames }) {
    const verdict = checkFragment(value, { strictNames })
    return verdict.valid ? { valid: true, write: { name: verdict.input.properties.FragmentName, ...verdict.input } } : verdict
  },
}

/** The text that SAP's service answers. */
export function fragmentNotFound(name: string): Answer {
  return refuse(404, `The fragment with the specified name '${name}' was not found`)
}
