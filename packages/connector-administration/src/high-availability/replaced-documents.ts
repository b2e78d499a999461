import type { MaterialStore } from '@sallyport/cloud-connector'
import { z } from 'zod'
import { parseMaterial } from '../document/parse-material.ts'
import { maxReplacedDocuments } from '../limits.ts'
import type { ReplacedDocument, Snapshot } from './installation.ts'

const prefix = 'replaced '

const schema = z.object({ revision: z.int(), document: z.unknown() })

/** Keeps the configuration of a former master among the sealed material, with everything that belongs to it; the oldest beyond the bound goes. */
export async function keepReplaced(material: MaterialStore, snapshot: Snapshot, atMs: number): Promise<void> {
  await material.save(`${prefix}${new Date(atMs).toISOString()}`, JSON.stringify(snapshot))
  const kept = await namesOf(material)
  for (const name of kept.slice(maxReplacedDocuments)) await material.remove(name)
}

/** What has been kept, the latest first, without keys and certificates; what people typed in as secrets is not shown either. */
export async function loadReplaced(material: MaterialStore): Promise<readonly ReplacedDocument[]> {
  const found: ReplacedDocument[] = []
  for (const name of await namesOf(material)) {
    const text = await material.load(name)
    if (text === undefined) continue
    const { document, revision } = schema.parse(parseMaterial(text))
    found.push({ keptAt: name.slice(prefix.length), revision, document: withoutSecrets(document) })
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
