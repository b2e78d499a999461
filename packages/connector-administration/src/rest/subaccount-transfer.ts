import { z } from 'zod'
import type { AdministeredSubaccount } from '../document/administered-subaccount.ts'
import { editSubaccount, findSubaccount } from '../document/edit-subaccount.ts'
import { type ExportedSubaccount, exportedSubaccountSchema, exportSubaccount, importSubaccount } from '../document/exported-subaccount.ts'
import type { MergeOptions } from '../document/merge-mappings.ts'
import { answerArchive, readArchive } from './archive.ts'
import { type Answer, type Call, type Route, route } from './route.ts'
import { requireChangeable, subaccountKeyOf } from './subaccount-path.ts'
import type { AccessControlOptions } from './system-mappings.ts'
import { tolerantBoolean } from './tolerant-values.ts'

const path = '/api/private/v1/subaccounts/:regionHost/:subaccount/configuration'
const file = 'subaccount.json'

/** A subaccount as a file, and what is in one brought to another (cloud-connector.md §1.13). The original has no REST API for it: the path is our own. */
export function subaccountTransfer({ clock, editor, isLocked }: AccessControlOptions): readonly Route[] {
  const find = ({ params }: Pick<Call<unknown>, 'params'>): AdministeredSubaccount =>
    findSubaccount(editor.document, subaccountKeyOf(params))
  const bring = async (call: Call<unknown>, imported: () => ExportedSubaccount, options: MergeOptions): Promise<Answer> => {
    const key = subaccountKeyOf(call.params)
    await editor.change(call.caller.user, (document) => {
      requireChangeable(document, key, call.caller, isLocked)
      return editSubaccount(document, key, (entry) => importSubaccount(entry, imported(), options))
    })
    return { status: 204 }
  }
  return [
    route({
      method: 'GET',
      path,
      permission: 'all',
      handle: (call) => answerArchive('subaccount', file, { version: 1, ...exportSubaccount(find(call)) }, clock.now()),
    }),
    route({
      method: 'POST',
      path,
      permission: 'edit',
      only: 'master',
      upload: true,
      async handle(call) {
        const { version: _version, ...imported } = readArchive(call.form, file, exportedSubaccountSchema)
        return await bring(call, () => imported, {
          overwrite: call.form.optionalText('overwrite') === 'true',
          includeResources: call.form.optionalText('includeResources') !== 'false',
        })
      },
    }),
    route({
      method: 'POST',
      path: `${path}/copy`,
      permission: 'edit',
      only: 'master',
      body: z.object({
        regionHost: z.string().max(255),
        subaccount: z.string().max(200),
        overwrite: tolerantBoolean.default(false),
        includeResources: tolerantBoolean.default(true),
      }),
      handle: (call) => bring(call, () => exportSubaccount(findSubaccount(editor.document, call.body)), call.body),
    }),
  ]
}
