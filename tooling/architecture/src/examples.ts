import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { read, readWorkspace, root } from './workspace.ts'

/** The first example of a package's README, or of the docstring that its `index.ts` begins with. */
export interface Example {
  /** Name without scope. */
  readonly package: string
  readonly from: 'readme' | 'docstring'
  readonly code: string
}

/** Where examples stand as modules while they are checked and run. */
export const generatedFolder: string = join(import.meta.dirname, '..', '.examples')

/** What Node has under the names that examples use without importing them. */
const builtins: Readonly<Record<string, string>> = {
  randomBytes: 'node:crypto',
  generateKeyPairSync: 'node:crypto',
  readFile: 'node:fs/promises',
}

/** Reads both examples of every published package. A missing one is reported as empty code. */
export function readExamples(): readonly Example[] {
  return readWorkspace()
    .filter((entry) => entry.folder.startsWith('packages/'))
    .flatMap(({ folder }) => {
      const name = folder.slice('packages/'.length)
      const docstring = /^\/\*\*[\s\S]*?\*\//.exec(read(`${folder}/src/index.ts`).trimStart())?.[0] ?? ''
      const lines = docstring.split('\n').map((line) => line.replace(/^ \*( |\/|$)/, ''))
      const begin = lines.indexOf('@example') + 1
      const end = lines.findIndex((line, at) => at >= begin && line.startsWith('@'))
      return [
        { package: name, from: 'readme', code: /^```ts\n([\s\S]*?)^```/m.exec(read(`${folder}/README.md`))?.[1] ?? '' },
        { package: name, from: 'docstring', code: begin === 0 ? '' : lines.slice(begin, end).join('\n') },
      ] as const
    })
}

/** The file of what an example takes as given: `examples/<package>.ts`, or none. */
export function givenFile(name: string): string | undefined {
  const file = join(import.meta.dirname, '..', 'examples', `${name}.ts`)
  return existsSync(file) ? file : undefined
}

/**
 * Writes examples as modules that export a function `example`. Names that an example does not declare come from what it takes as given, then from its own
 * package, then from the other packages of the workspace and from Node.
 */
export function writeExamples(examples: readonly Example[]): void {
  rmSync(generatedFolder, { recursive: true, force: true })
  mkdirSync(generatedFolder, { recursive: true })
  const exported = exportedNames()
  for (const example of examples) writeFileSync(join(generatedFolder, fileOf(example)), moduleOf(example, exported))
  const options = {
    extends: '../../../tsconfig.base.json',
    compilerOptions: {
      noEmit: true,
      allowImportingTsExtensions: true,
      rewriteRelativeImportExtensions: false,
      declaration: false,
      declarationMap: false,
      isolatedDeclarations: false,
      customConditions: ['@sallyport/source'],
    },
    include: ['*.ts'],
  }
  writeFileSync(join(generatedFolder, 'tsconfig.json'), JSON.stringify(options))
}

export function fileOf(example: Example): string {
  return `${example.package}-${example.from}.ts`
}

interface Exported {
  readonly name: string
  readonly specifier: string
}

/** Values that the packages export, subpaths included. */
function exportedNames(): readonly Exported[] {
  return readWorkspace()
    .filter((entry) => entry.folder.startsWith('packages/'))
    .flatMap((entry) =>
      Object.entries(entry.exports).flatMap(([subpath, target]) => {
        const source = (target as Readonly<Record<string, string>>)['@sallyport/source']
        if (source === undefined) return []
        return valuesOf(read(join(entry.folder, source))).map((name) => ({ name, specifier: `${entry.name}${subpath.slice(1)}` }))
      }),
    )
}

function valuesOf(source: string): readonly string[] {
  const listed = [...source.matchAll(/^export \{([^}]*)\}/gm)].flatMap((match) => (match[1] ?? '').split(','))
  const declared = [...source.matchAll(/^export (?:async |declare )?(?:function|const|class) (\w+)/gm)].map((match) => match[1] ?? '')
  return [...listed.map((item) => item.trim()).filter((item) => item !== '' && !item.startsWith('type ')), ...declared]
}

function typesOf(source: string): readonly string[] {
  return [...source.matchAll(/\btype (\w+)/g), ...source.matchAll(/^export interface (\w+)/gm)].map((match) => match[1] ?? '')
}

function moduleOf({ package: name, code }: Example, exported: readonly Exported[]): string {
  const written = code.match(/^import .*$/gm) ?? []
  const body = code.replaceAll(/^import .*$/gm, '').trim()
  const imported = new Set(
    written.flatMap((line) => (/\{([^}]*)\}/.exec(line)?.[1] ?? '').split(',').map((item) => item.trim().replace('type ', ''))),
  )
  const free = [...identifiersOf(body)].filter((word) => !imported.has(word))
  const given = givenFile(name)
  const givenNames = given === undefined ? [] : valuesOf(read(given.slice(root.length + 1)))
  const own = `@sallyport/${name}`
  const ownTypes = typesOf(read(`packages/${name}/src/index.ts`))
  const lines = free.flatMap((word) => {
    if (givenNames.includes(word)) return [`import { ${word} } from '../examples/${name}.ts'`]
    const candidates = exported.filter((entry) => entry.name === word)
    const specifier = (candidates.find((entry) => entry.specifier === own) ?? candidates[0])?.specifier ?? builtins[word]
    if (specifier !== undefined) return [`import { ${word} } from '${specifier}'`]
    return ownTypes.includes(word) ? [`import type { ${word} } from '${own}'`] : []
  })
  const indented = body.replaceAll(/^(?=.)/gm, '  ')
  return [...written, ...lines, '', 'export async function example() {', indented, '}', ''].join('\n')
}

/** Words of the code that may be names from outside: no members, no texts, no comments. */
function identifiersOf(code: string): ReadonlySet<string> {
  const plain = code.replaceAll(/'(?:[^'\\\n]|\\.)*'|\/\/.*$/gm, "''")
  return new Set([...plain.matchAll(/(?<![\w$])(?<!(?<!\.)\.)[A-Za-z_$][\w$]*/g)].map((match) => match[0]))
}
