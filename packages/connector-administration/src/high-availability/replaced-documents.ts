import type { MaterialStore } from '@sallyport/cloud-connector'
import { z } from 'zod'
import { parseMaterial } from '../document/parse-material.ts'
import { maxReplacedDocuments } from '../limits.ts'
import type { ReplacedDocument, Snapshot } from './installation.ts'

const prefix = 'replaced '

const schema = z.object({ revision: z.int(), term: z.int().optional(), document: z.unknown() })

/**
 * Keeps the configuration of a former master of this term among the sealed material, with everything that belongs to it; the oldest beyond the bound goes. Returns the
 * time that tells it apart, also from one with the same revision: when there is one of that time already, the next millisecond.
 */
export async function keepReplaced(
  material: MaterialStore,
  snapshot: Snapshot,
  { atMs, term }: { readonly atMs: number; readonly term: number },
): Promise<string> {
  const before = await namesOf(material)
  let keptMs = atMs
  const nameOf = (): string => `${prefix}${new Date(keptMs).toISOString()}`
  while (before.includes(nameOf())) keptMs++
  await material.save(nameOf(), JSON.stringify({ ...snapshot, term }))
  // Whatever the clock said when the others were kept: the new one stays.
  for (const name of before.slice(maxReplacedDocuments - 1)) await material.remove(name)
  return new Date(keptMs).toISOString()
}

/** What has been kept, the latest first, without keys and certificates; what people typed in as secrets is not shown either. */
export async function loadReplaced(material: MaterialStore): Promise<readonly ReplacedDocument[]> {
  const found: ReplacedDocument[] = []
  for (const name of await namesOf(material)) {
    const text = await material.load(name)
    if (text === undefined) continue
    const { document, revision, term } = schema.parse(parseMaterial(text))
    found.push({ keptAt: name.slice(prefix.length), revision, ...(term === undefined ? {} : { term }), document: withoutSecrets(document) })
  }
  return found
}

/** ISO times sort as text. */
async function namesOf(material: MaterialStore): Promise<string[]> {
  const names = (await material.names()).filter((name) => name.startsWith(prefix))
  return names.toSorted().toReversed()
}

function withoutSecrets(document: unknown): unknown {
  const text = JSON.stringify(document, (key, value: unknown) =>
    /password|secret|passphrase|community|token|privateKey/i.test(key) && typeof value === 'string' ? '(not shown)' : value,
  )
  return JSON.parse(text)
}
