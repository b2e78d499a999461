import { z } from 'zod'
import { type AdministeredMapping, administeredMappingSchema, administeredResourceSchema } from '../document/administered-mapping.ts'
import type { SubaccountKey } from '../document/administered-subaccount.ts'
import { editMapping, findMapping, findResource } from '../document/edit-mapping.ts'
import { editSubaccount, findSubaccount } from '../document/edit-subaccount.ts'
import { mergeMappings, type MergeOptions } from '../document/merge-mappings.ts'
import { addScenario, removeScenario, type Scenario, scenariosOf } from '../document/scenario.ts'
import { answerArchive, readArchive } from './archive.ts'
import { notFound } from './rest-error.ts'
import { type Answer, type Call, type Route, route } from './route.ts'
import { mappingKeyOf, requireChangeable, subaccountKeyOf } from './subaccount-path.ts'
import type { AccessControlOptions } from './system-mappings.ts'
import { tolerantBoolean } from './tolerant-values.ts'

const subaccountPath = '/api/private/v1/subaccounts/:regionHost/:subaccount'
const mappingsFile = 'access-control.json'
const scenarioFile = 'scenario.json'

const mergeOptions = { overwrite: tolerantBoolean.default(false), includeResources: tolerantBoolean.default(true) }
const archived = z.object({ version: z.literal(1), systemMappings: z.array(administeredMappingSchema).max(10_000) })
const archivedScenario = z.object({
  version: z.literal(1),
  name: z.string().min(1).max(200),
  resources: z.array(administeredResourceSchema).max(100_000),
})

/** Access control and scenarios as files, and from one subaccount to another (cloud-connector.md §2.10). The original has no REST API for them: the paths are our own. */
export function transfer({ clock, editor, isLocked }: AccessControlOptions): readonly Route[] {
  const mapping = `${subaccountPath}/systemMappings/:virtual`
  const join = async (call: Call<unknown>, imported: () => readonly AdministeredMapping[], options: MergeOptions): Promise<Answer> => {
    const key = subaccountKeyOf(call.params)
    await editor.change(call.caller.user, (document) => {
      requireChangeable(document, key, call.caller, isLocked)
      return editSubaccount(document, key, (entry) => ({
        ...entry,
        systemMappings: mergeMappings(entry.systemMappings, imported(), options),
      }))
    })
    return { status: 204 }
  }
  const changeMapping = async (call: Call<unknown>, edit: (known: AdministeredMapping) => AdministeredMapping): Promise<void> => {
    const key = mappingKeyOf(call.params)
    await editor.change(call.caller.user, (document) => {
      requireChangeable(document, key, call.caller, isLocked)
      return editMapping(document, key, edit)
    })
  }
  const mappingOf = ({ params }: Pick<Call<unknown>, 'params'>): AdministeredMapping =>
    findMapping(findSubaccount(editor.document, mappingKeyOf(params)), mappingKeyOf(params).virtual)
  return [
    route({
      method: 'GET',
      path: `${subaccountPath}/accessControl`,
      permission: 'all',
      handle: ({ params }) =>
        answerArchive(
          'access_control',
          mappingsFile,
          { version: 1, systemMappings: findSubaccount(editor.document, subaccountKeyOf(params)).systemMappings },
          clock.now(),
        ),
    }),
    route({
      method: 'POST',
      path: `${subaccountPath}/accessControl`,
      permission: 'edit',
      only: 'master',
      upload: true,
      async handle(call) {
        const { systemMappings } = readArchive(call.form, mappingsFile, archived)
        return await join(call, () => systemMappings, {
          overwrite: call.form.optionalText('overwrite') === 'true',
          includeResources: call.form.optionalText('includeResources') !== 'false',
        })
      },
    }),
    route({
      method: 'POST',
      path: `${subaccountPath}/accessControl/copy`,
      permission: 'edit',
      only: 'master',
      body: z.object({ regionHost: z.string(), subaccount: z.string(), ...mergeOptions }),
      async handle(call) {
        const from: SubaccountKey = call.body
        return await join(call, () => findSubaccount(editor.document, from).systemMappings, call.body)
      },
    }),
    route({
      method: 'GET',
      path: `${mapping}/scenarios`,
      permission: 'all',
      handle: (call) => ({ status: 200, body: scenariosOf(mappingOf(call)) }),
    }),
    route({
      method: 'POST',
      path: `${mapping}/scenarios/export`,
      permission: 'all',
      shared: 'nothing',
      body: z.object({ name: z.string().min(1).max(200), resources: z.array(z.string()).min(1).max(100_000) }),
      handle(call) {
        const from = mappingOf(call)
        const chosen = call.body.resources.map((id) => {
          const { ownedByScenarios: _owned, scenarios: _scenarios, ...resource } = findResource(from, id)
          return resource
        })
        return answerArchive('scenario', scenarioFile, { version: 1, name: call.body.name, resources: chosen }, clock.now())
      },
    }),
    route({
      method: 'POST',
      path: `${mapping}/scenarios`,
      permission: 'edit',
      only: 'master',
      upload: true,
      async handle(call) {
        const scenario: Scenario = readArchive(call.form, scenarioFile, archivedScenario)
        await changeMapping(call, (known) => addScenario(known, scenario))
        return { status: 201 }
      },
    }),
    route({
      method: 'DELETE',
      path: `${mapping}/scenarios/:scenario`,
      permission: 'edit',
      only: 'master',
      async handle(call) {
        const name = call.params['scenario'] ?? ''
        await changeMapping(call, (known) => {
          if (!scenariosOf(known).includes(name)) throw notFound(`Scenario with value '${name}' does not exist`)
          return removeScenario(known, name)
        })
        return { status: 204 }
      },
    }),
  ]
}
