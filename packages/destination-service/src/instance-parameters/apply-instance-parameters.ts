import { createHash } from 'node:crypto'
import {
  checkConfiguration,
  type ConfigurationProblem,
  formatProblemPath,
  type InstanceParameters,
  instanceParametersSchema,
  type ScopeLists,
} from '@sallyport/admin-api'
import { recordChanges, requireAudit } from '../entities/change-record.ts'
import type { EntityKind, Level, StoredEntity } from '../entities/entity-repository.ts'
import type { ServiceContext, ServiceRequest } from '../http/service-request.ts'
import { type InitialEntities, readInitialEntities } from './initial-entities.ts'
import type { InstanceSettings, InstanceSettingsRepository, ScopeAccess } from './instance-settings.ts'

/** What became of parameters. `stored` has what was created or replaced; a refusal has the status and the sentence for whoever gave the parameters. */
export type ParametersOutcome =
  | { readonly applied: true; readonly stored: readonly StoredChange[]; readonly kept: number }
  | { readonly applied: false; readonly status: 400 | 409; readonly message: string }

/** An entity that the parameters created or replaced. */
export interface StoredChange {
  readonly kind: EntityKind
  readonly level: Level
  readonly verb: 'created' | 'replaced'
  readonly name: string
}

/**
 * Carries out the parameters of an instance, when it is made and later: creates and updates entities by the policies, never deletes any, and takes over
 * scopes and flags. Everything is checked before anything is stored. When storing fails nevertheless, the instance's entities are as they were before;
 * what the subaccount got stays, as in the original. `remembered`: the parameters are those that belong to the instance, and are known again by their digest.
 */
export async function applyInstanceParameters(
  request: ServiceRequest,
  context: ServiceContext & { readonly settings: InstanceSettingsRepository },
  value: unknown,
  options: { readonly remembered: boolean },
): Promise<ParametersOutcome> {
  requireAudit(context)
  const checked = checkConfiguration(instanceParametersSchema, value)
  if ('problems' in checked) return refuse(400, checked.problems.map(formatProblem).join('; '))
  const parameters = checked.value
  const entities = await readInitialEntities(parameters.init_data ?? {}, request, context)
  if ('problem' in entities) return failed(400, entities.problem)
  const plans: Plan[] = []
  for (const group of entities.groups) plans.push(await planOf(context, group))
  const taken = plans.flatMap(({ group, existing }) => (group.policy === 'fail' ? existing.map((entity) => ({ group, entity })) : []))[0]
  if (taken !== undefined) {
    const where = taken.group.level.instanceId === null ? 'subaccount' : 'instance'
    return failed(409, `the ${taken.entity.kind} '${taken.entity.name}' exists already in the ${where}`)
  }
  const done: StoredChange[] = []
  try {
    for (const plan of plans) {
      const problem = await carryOut(context, plan, done)
      if (problem === undefined) continue
      await takeBack(request, context, plans, done)
      return failed(400, problem)
    }
    await context.settings.change(request.caller.instance.instanceId, (settings) =>
      changedSettings(settings, parameters, options.remembered ? parametersDigest(value) : settings.appliedDigest),
    )
  } catch (error) {
    await takeBack(request, context, plans, done)
    throw error
  }
  await recordAll(request, context, done)
  return {
    applied: true,
    stored: done,
    kept: plans.reduce((sum, { group, existing }) => sum + (group.policy === 'ignore' ? existing.length : 0), 0),
  }
}

/** Names parameters by their content. */
export function parametersDigest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex')
}

interface Plan {
  readonly group: InitialEntities
  /** Those of the group's entities that are stored already. */
  readonly existing: readonly StoredEntity[]
}

async function planOf({ repository }: ServiceContext, group: InitialEntities): Promise<Plan> {
  return {
    group,
    existing: await repository.read(
      group.kind,
      group.level,
      group.writes.map((write) => write.name),
    ),
  }
}

/** Notes in `done` what has been stored, also when the rest fails. */
async function carryOut(
  { repository, clock, maxPerSubaccount }: ServiceContext,
  { group, existing }: Plan,
  done: StoredChange[],
): Promise<string | undefined> {
  const { kind, level, policy, writes } = group
  const known = new Set(existing.map((entity) => entity.name))
  const toCreate = writes.filter((write) => !known.has(write.name))
  const toReplace = policy === 'update' ? writes.filter((write) => known.has(write.name)) : []
  const nowMs = clock.now()
  const created = await repository.create(kind, level, toCreate, { nowMs, maxPerSubaccount })
  toCreate.forEach(({ name }, at) => created[at] === 'created' && done.push({ kind, level, verb: 'created', name }))
  const refused = created.findIndex((outcome) => outcome !== 'created')
  if (refused >= 0) {
    return created[refused] === 'full'
      ? `the subaccount has room for ${maxPerSubaccount} ${kind}s only`
      : `somebody else has created the ${kind} '${toCreate[refused]?.name}' meanwhile`
  }
  const replaced = await repository.replace(kind, level, toReplace, { nowMs })
  toReplace.forEach(({ name }, at) => replaced[at] === 'replaced' && done.push({ kind, level, verb: 'replaced', name }))
  const gone = replaced.indexOf('unknown')
  return gone < 0 ? undefined : `somebody else has deleted the ${kind} '${toReplace[gone]?.name}' meanwhile`
}

async function recordAll(request: ServiceRequest, context: ServiceContext, changes: readonly StoredChange[]): Promise<void> {
  for (const { kind, level, verb, name } of changes) await recordChanges(request, context, { kind, level, verb, names: [name] })
}

/** Says what the subaccount has got and keeps, also when the rest cannot be taken back. */
async function takeBack(
  request: ServiceRequest,
  context: ServiceContext,
  plans: readonly Plan[],
  done: readonly StoredChange[],
): Promise<void> {
  try {
    await undo(context, plans, done)
  } finally {
    const kept = done.filter(({ level }) => level.instanceId === null)
    await recordAll(request, context, kept)
  }
}

/** Takes back what was stored for the instance: new entities go, replaced ones get their former content. */
async function undo({ repository, clock }: ServiceContext, plans: readonly Plan[], done: readonly StoredChange[]): Promise<void> {
  for (const { group, existing } of plans) {
    const { kind, level } = group
    if (level.instanceId === null) continue
    const namesOf = (verb: StoredChange['verb']): readonly string[] =>
      done.filter((change) => change.kind === kind && change.level.instanceId !== null && change.verb === verb).map(({ name }) => name)
    await repository.remove(kind, level, namesOf('created'))
    const replaced = new Set(namesOf('replaced'))
    await repository.replace(
      kind,
      level,
      existing.filter((entity) => replaced.has(entity.name)),
      { nowMs: clock.now() },
    )
  }
}

function changedSettings(settings: InstanceSettings, parameters: InstanceParameters, appliedDigest: string): InstanceSettings {
  const { destination, certificate } = parameters.subscriber_access ?? {}
  return {
    html5RuntimeEnabled: parameters.HTML5Runtime_enabled ?? settings.html5RuntimeEnabled,
    subscriberAccess: {
      destinations: changedAccess(settings.subscriberAccess.destinations, destination),
      certificates: changedAccess(settings.subscriberAccess.certificates, certificate),
    },
    appliedDigest,
  }
}

/** A list that is given replaces the one there was; an empty one takes the access away. */
function changedAccess(access: ScopeAccess, lists: ScopeLists | undefined): ScopeAccess {
  return { read: lists?.read_scopes ?? access.read, write: lists?.write_scopes ?? access.write }
}

function failed(status: 400 | 409, reason: string): ParametersOutcome {
  return refuse(status, `Failed to create all provided configurations. Will delete all on instance level, because ${reason}.`)
}

function refuse(status: 400 | 409, message: string): ParametersOutcome {
  return { applied: false, status, message }
}

function formatProblem({ path, message }: ConfigurationProblem): string {
  return path.length === 0 ? message : `${formatProblemPath(path)}: ${message}`
}
