import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Root of the checkout. */
export const root: string = join(import.meta.dirname, '..', '..', '..')

export interface WorkspacePackage {
  /** Folder below the root, e.g. `packages/core`. */
  readonly folder: string
  readonly name: string
  readonly private: boolean
  readonly dependencies: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
  readonly scripts: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, unknown>>
}

/** Every package of the workspace with what its manifest says. */
export function readWorkspace(): readonly WorkspacePackage[] {
  return ['packages/*', 'apps/*', 'tooling/*', 'test-fixtures']
    .flatMap((pattern) => globSync(pattern, { cwd: root }))
    .filter((folder) => existsSync(join(root, folder, 'package.json')))
    .map((folder) => {
      const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Record<string, never>
      return {
        folder,
        name: manifest['name'] ?? '',
        private: manifest['private'] ?? false,
        dependencies: manifest['dependencies'] ?? {},
        peerDependencies: manifest['peerDependencies'] ?? {},
        scripts: manifest['scripts'] ?? {},
        exports: manifest['exports'] ?? {},
      }
    })
}

/** Source files of a package, tests left out. Paths below the root. */
export function sourceFiles(folder: string): readonly string[] {
  return globSync(`${folder}/src/**/*.ts`, { cwd: root }).filter((file) => !file.endsWith('.test.ts'))
}

export function read(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

/** Module names that a source file imports or exports from, without relative ones. */
export function importsOf(file: string): readonly string[] {
  const found = new Set<string>()
  for (const match of read(file).matchAll(
    /(?:^|\n)\s*(?:import|export)\s(?:[^'"]*?\sfrom\s)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g,
  )) {
    const name = match[1] ?? match[2] ?? ''
    if (!name.startsWith('.')) found.add(name)
  }
  return [...found]
}
