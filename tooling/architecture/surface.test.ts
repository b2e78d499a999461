import { describe, expect, it } from 'vitest'
import { read, readWorkspace, sourceFiles } from './src/workspace.ts'

const published = readWorkspace().filter((entry) => entry.folder.startsWith('packages/'))

describe('public surface', () => {
  it.each(published.map((entry) => entry.folder))('%s lists its exports by name', (folder) => {
    const index = read(`${folder}/src/index.ts`)
    expect(index).not.toMatch(/export \* from/)
    expect(index.trimStart().startsWith('/**'), 'index.ts starts with a paragraph that says what the package is for').toBe(true)
  })

  it.each(published.map((entry) => entry.folder))('%s documents what it exports', (folder) => {
    const undocumented = sourceFiles(folder).flatMap((file) => {
      const lines = read(file).split('\n')
      return lines.flatMap((line, at) => {
        const match = /^export (?:async )?(?:function\*?|interface|class) (\w+)/.exec(line)
        if (match === null) return []
        const before = lines.slice(0, at).findLast((text) => text.trim() !== '') ?? ''
        const overload = /^export (?:async )?function/.test(before)
        return before.trim().endsWith('*/') || overload ? [] : [`${file}:${at + 1} ${match[1] ?? ''}`]
      })
    })
    expect(undocumented).toEqual([])
  })

  it.each(published.filter((entry) => entry.folder !== 'packages/conformance').map((entry) => entry.folder))(
    '%s can be loaded by require: no top-level await',
    (folder) => {
      const offences = sourceFiles(folder).filter((file) => /^(?:const .*= |export const .*= )?await /m.test(read(file)))
      expect(offences).toEqual([])
    },
  )

  it.each(published.map((entry) => entry.folder))('%s has no grab-bag files', (folder) => {
    expect(sourceFiles(folder).filter((file) => /\/(?:utils?|common|helpers?|misc|manager)\.ts$/.test(file))).toEqual([])
  })
})
