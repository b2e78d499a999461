import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fileOf, generatedFolder, givenFile, readExamples, writeExamples } from './src/examples.ts'
import { root } from './src/workspace.ts'

interface Given {
  /** Why the examples cannot run here; their types are checked all the same. */
  readonly typesOnly?: string
}

const examples = readExamples()
let problems: readonly string[] = []
let folder: string
const startedIn = process.cwd()

beforeAll(() => {
  writeExamples(examples)
  // What they write goes where nobody looks.
  folder = mkdtempSync(join(tmpdir(), 'sallyport-examples-'))
  process.chdir(folder)
  try {
    execFileSync(join(root, 'node_modules', '.bin', 'tsc'), ['-p', generatedFolder, '--pretty', 'false'], { encoding: 'utf8' })
  } catch (error) {
    problems = String((error as { stdout?: unknown }).stdout).split('\n')
  }
}, 60_000)
afterAll(() => {
  process.chdir(startedIn)
  rmSync(folder, { recursive: true })
  rmSync(generatedFolder, { recursive: true })
})

describe.each(examples)('the example in the $from of $package', (example) => {
  it('is there', () => {
    expect(example.code.trim()).not.toBe('')
  })

  it('fits the types', () => {
    expect(problems.filter((line) => line.includes(fileOf(example)) || line.includes(`examples/${example.package}.ts`))).toEqual([])
  })

  it('runs', async ({ skip }) => {
    const file = givenFile(example.package)
    const given = (file === undefined ? {} : await import(file)) as Given
    if (given.typesOnly !== undefined) skip(given.typesOnly)
    const module = (await import(join(generatedFolder, fileOf(example)))) as { example(): Promise<unknown> }
    expect(await module.example().then(() => 'ran')).toBe('ran')
  })
})
