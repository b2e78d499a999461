import { existsSync, globSync } from 'node:fs'
import { join } from 'node:path'
import { errorTable } from '@sallyport/core'
import { describe, expect, it } from 'vitest'
import { limitsDocument } from './src/limits-document.ts'
import { read, readWorkspace, root } from './src/workspace.ts'

describe('documents', () => {
  it('docs/errors.md has one paragraph for each error code and no other', () => {
    const documented = [...read('docs/errors.md').matchAll(/^## ([A-Z_]+)$/gm)].map((match) => match[1])
    expect(documented.toSorted()).toEqual(Object.keys(errorTable).toSorted())
  })

  it.each([
    'README.md',
    'ARCHITECTURE.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    'LICENSE',
    'NOTICE',
    'docs/glossary.md',
    'docs/limits.md',
    'docs/out-of-scope.md',

    'docs/tunnel-protocol.md',
    'docs/performance.md',
  ])('%s exists', (file) => {
    expect(existsSync(join(root, file))).toBe(true)
  })

  it('README and NOTICE say that the project is not affiliated with SAP', () => {
    for (const file of ['README.md', 'NOTICE']) expect(read(file).replaceAll(/\s+/g, ' ')).toMatch(/not affiliated with.* SAP/)
  })

  it('every published package says what it is for', () => {
    const missing = readWorkspace().filter(
      (entry) => entry.folder.startsWith('packages/') && !existsSync(join(root, entry.folder, 'README.md')),
    )
    expect(missing.map((entry) => entry.folder)).toEqual([])
  })

  it('decision records are numbered without gaps', () => {
    const numbers = globSync('docs/adr/*.md', { cwd: root })
      .map((file) => Number(file.slice('docs/adr/'.length, 'docs/adr/'.length + 4)))
      .toSorted((a, b) => a - b)
    expect(numbers).toEqual(numbers.map((_, index) => index + 1))
    expect(numbers.length).toBeGreaterThan(0)
  })

  it('docs/limits.md says what the sources say (npx -y pnpm@12 limits writes it)', () => {
    expect(read('docs/limits.md')).toBe(limitsDocument())
  })

  it('relative links in documents lead somewhere', () => {
    const dead = globSync(['*.md', 'docs/**/*.md', 'packages/*/README.md', 'apps/*/README.md'], { cwd: root }).flatMap((file) =>
      [...read(file).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)/g)]
        .filter((match) => !existsSync(join(root, file, '..', match[1] ?? '')))
        .map((match) => `${file}: ${match[1] ?? ''}`),
    )
    expect(dead).toEqual([])
  })
})
