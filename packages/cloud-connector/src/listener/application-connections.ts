import type { LinkStatus } from '../connector-status.ts'

/** What applications have open, in the words of the original. An application that shows no client ID is called by its subaccount; the cloud side says nothing of its kind. */
export function renderApplications({ applications, subaccount }: Pick<LinkStatus, 'applications' | 'subaccount'>): readonly unknown[] {
  return applications.map(({ application, streams }) => ({ connectionCount: streams, name: application || subaccount, type: 'JAVA' }))
}
