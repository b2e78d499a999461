import { ConnectivityError } from '@sallyport/core'
import { readZip } from '../backup/zip-file.ts'
import { listOf, memberOf, type OriginalAnswers, originalPaths, originalSubaccountPath, virtualNameIn } from './original-answers.ts'

/** Answers that were kept, and files that say nothing. */
export interface SavedAnswers {
  readonly answers: OriginalAnswers
  readonly unread: readonly string[]
}

/** Subaccount to which mappings belong that were exported without it. */
export interface ExportOwner {
  readonly regionHost: string
  readonly subaccount: string
}

const answersName = 'answers.json'

/** All answers as one file, which {@link readSavedAnswers} takes. */
export function formatAnswers(answers: OriginalAnswers): string {
  return `${JSON.stringify(Object.fromEntries(answers), (name, value: unknown) => (name === 'smtpPassword' ? undefined : value), 2)}\n`
}

/**
 * Reads files of whatever was saved of an original, by name: `answers.json`; answers of its REST API that lie at their paths, such as
 * `api/v1/configuration/subaccounts.json`; lists of mappings and of resources in JSON; archives of these. What a backup of the original holds is documented nowhere,
 * so its files are named as unread.
 *
 * @throws ConnectivityError `MESSAGE_INVALID` when nothing can be read, and where mappings need an owner that was not named.
 */
export function readSavedAnswers(files: ReadonlyMap<string, Buffer>, owner?: ExportOwner): SavedAnswers {
  const answers = new Map<string, unknown>()
  const unread: string[] = []
  for (const [name, content] of unpacked(files)) {
    const found = answersIn(name, content, owner)
    if (found === undefined) unread.push(name)
    else for (const [path, value] of found) answers.set(path, value)
  }
  if (answers.size === 0)
    throw new ConnectivityError(
      'MESSAGE_INVALID',
      unread.length === 0 ? 'there are no files' : `none of the files can be read: ${unread.slice(0, 20).join(', ')}`,
      {
        details: { next: 'ask the running original instead: what its backups hold is documented nowhere' },
      },
    )
  return { answers, unread }
}

/** Archives are opened once, not those inside them. */
function unpacked(files: ReadonlyMap<string, Buffer>): readonly (readonly [string, Buffer])[] {
  return [...files].flatMap(([name, content]) => {
    if (content.subarray(0, 4).toString('latin1') !== 'PK\u0003\u0004') return [[name, content] as const]
    try {
      return [...readZip(content)].map(([inner, bytes]) => [`${name}!${inner}`, bytes] as const)
    } catch (cause) {
      throw new ConnectivityError('MESSAGE_INVALID', `${name}: ${cause instanceof Error ? cause.message : 'cannot be opened'}`, { cause })
    }
  })
}

function answersIn(name: string, content: Buffer, owner: ExportOwner | undefined): ReadonlyMap<string, unknown> | undefined {
  const own = name.slice(name.lastIndexOf('!') + 1)
  const at = own.search(/(?:^|\/)api\/v1\/configuration\//)
  if (at >= 0 && own.endsWith('.pem')) return new Map([[pathOf(own, at), content.toString('utf8')]])
  const value = tryParse(content)
  if (value === undefined) return undefined
  if (at >= 0) return new Map([[pathOf(own, at), value]])
  if (own.endsWith(answersName)) return savedTogether(value)
  const mappings = Array.isArray(value) ? value : memberOf(value, 'systemMappings')
  if (!Array.isArray(mappings) || mappings.every((mapping) => virtualNameIn(mapping) === undefined)) return undefined
  return ownedBy(owner, mappings, value, name)
}

function savedTogether(value: unknown): ReadonlyMap<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const found = Object.entries(value).filter(([path]) => path.startsWith('/api/'))
  return found.length === 0 ? undefined : new Map(found.map(([path, answer]) => [withPlural(path), answer]))
}

/** Mappings of an export become the answers that a running original would give. */
function ownedBy(
  owner: ExportOwner | undefined,
  mappings: readonly unknown[],
  exported: unknown,
  name: string,
): ReadonlyMap<string, unknown> {
  if (owner === undefined)
    throw new ConnectivityError('MESSAGE_INVALID', `${name} holds mappings, and does not say of which subaccount`, {
      details: { next: 'name it with --subaccount <region host>/<subaccount>' },
    })
  const answers = new Map<string, unknown>([
    [originalPaths.subaccounts, [owner]],
    [originalSubaccountPath(owner, 'systemMappings'), mappings],
    [originalSubaccountPath(owner, 'domainMappings'), listOf(memberOf(exported, 'domainMappings'))],
  ])
  for (const mapping of mappings)
    answers.set(
      originalSubaccountPath(owner, 'systemMappings', virtualNameIn(mapping) ?? '', 'resources'),
      listOf(memberOf(mapping, 'resources')),
    )
  return answers
}

function pathOf(name: string, at: number): string {
  const path = name
    .slice(at)
    .replace(/^\//, '')
    .replace(/\.(?:json|pem)$/, '')
  return withPlural(`/${path}`)
}

/** Versions of the original before 2.18 say `onPremise`. */
function withPlural(path: string): string {
  return path.replace('/connector/onPremise/', '/connector/onPremises/')
}

function tryParse(content: Buffer): unknown {
  try {
    return JSON.parse(content.toString('utf8'))
  } catch {
    // Named as unread.
    return undefined
  }
}
