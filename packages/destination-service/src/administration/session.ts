import { type AdministeredInstance, type AdministrationSession, mayOpenEditor } from '@sallyport/admin-api'
import type { Answer } from '../http/answer.ts'
import { accessTo } from './administered-level.ts'
import type { AdministrationContext, AdministrationRequest } from './administration-context.ts'

/** Who administers and what he may do, so that an editor shows what will work. */
export async function getSession({ administrator }: AdministrationRequest, context: AdministrationContext): Promise<Answer> {
  const { subaccountId, user } = administrator
  const roles = administrator.kind === 'person' ? administrator.roles : []
  const body: AdministrationSession = {
    subaccount: subaccountId,
    user,
    roles,
    editor: administrator.kind === 'client' || mayOpenEditor(roles),
    access: await accessTo(administrator, undefined, context),
  }
  return { status: 200, body }
}

/** The instances on whose levels the administrator can do anything. */
export async function listInstances({ administrator }: AdministrationRequest, context: AdministrationContext): Promise<Answer> {
  const { subaccountId } = administrator
  const body: AdministeredInstance[] = []
  for (const known of await context.administration.directory.list(subaccountId)) {
    const { instanceId } = known.instance
    if (administrator.kind === 'client' && instanceId !== administrator.instance.instanceId) continue
    const access = await accessTo(administrator, known, context)
    if (access.destinations === 'none' && access.certificates === 'none') continue
    body.push({ id: instanceId, name: known.name, relation: known.instance.subaccountId === subaccountId ? 'own' : 'subscription', access })
  }
  return { status: 200, body }
}
