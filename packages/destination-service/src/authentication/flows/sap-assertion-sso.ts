import { ConnectivityError } from '@sallyport/core'
import type { Flow } from '../flow.ts'

/** `SAPAssertionSSO`: the original has announced its removal; it can be stored, and says so when it is asked for a ticket. */
export const sapAssertionSso: Flow = () =>
  Promise.reject(new ConnectivityError('DESTINATION_INVALID', 'Authentication type SAPAssertionSSO is not supported'))
