import { createMaterialMemory } from '@sallyport/cloud-connector'
import { expect, it } from 'vitest'
import { maxReplacedDocuments } from '../limits.ts'
import { keepReplaced, loadReplaced } from './replaced-documents.ts'

const snapshot = (name: string, revision = 7) => ({ revision, document: { name }, material: {} })
const namesOf = async (material: Parameters<typeof loadReplaced>[0]): Promise<unknown[]> =>
  (await loadReplaced(material)).map(({ document }) => (document as { name: string }).name)

it('two with the same revision, term and time are both kept, each under a name of its own', async () => {
  const material = createMaterialMemory()
  const at = { atMs: 1_000, term: 3 }
  const names = [await keepReplaced(material, snapshot('first'), at), await keepReplaced(material, snapshot('second'), at)]
  expect(names).toEqual(['1970-01-01T00:00:01.000Z', '1970-01-01T00:00:01.001Z'])
  expect(await loadReplaced(material)).toEqual([
    { keptAt: names[1], revision: 7, term: 3, document: { name: 'second' } },
    { keptAt: names[0], revision: 7, term: 3, document: { name: 'first' } },
  ])
})

it('the latest is kept, also when a clock that was ahead has dated all others later', async () => {
  const material = createMaterialMemory()
  for (let at = 0; at < maxReplacedDocuments; at++) await keepReplaced(material, snapshot(`ahead ${at}`), { atMs: 1_000_000 + at, term: 0 })
  await keepReplaced(material, snapshot('after the clock was right again'), { atMs: 1_000, term: 0 })
  const names = await namesOf(material)
  expect(names).toHaveLength(maxReplacedDocuments)
  expect(names).toContain('after the clock was right again')
  expect(names).not.toContain('ahead 0')
})

it('one that an earlier version has kept is read without its term', async () => {
  const material = createMaterialMemory()
  await material.save('replaced 2026-01-01T00:00:00.000Z', JSON.stringify(snapshot('earlier')))
  expect(await loadReplaced(material)).toEqual([{ keptAt: '2026-01-01T00:00:00.000Z', revision: 7, document: { name: 'earlier' } }])
})
