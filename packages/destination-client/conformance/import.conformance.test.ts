import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

/** Imports what is published in a process of its own, and prints what was loaded for it. */
const script = `
  const loaded = []
  require('node:module').registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) })
  import(process.argv[1]).then(() => console.log(JSON.stringify(loaded)))`

/** Applications import this package first, in every process that they start: each module costs about half a millisecond. */
const maxModules = 60

it('is imported with its own modules and those of core, a few dozen, and what Node brings; nothing else is read', async () => {
  const entry = join(import.meta.dirname, '..', 'dist', 'index.js')
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=commonjs', '--eval', script, entry])
  const loaded = (JSON.parse(stdout) as string[]).filter((url) => !url.startsWith('node:'))
  expect(loaded.filter((url) => !/\/packages\/(destination-client|core)\/dist\//.test(url))).toEqual([])
  expect(loaded.length).toBeGreaterThan(1)
  expect(loaded.length).toBeLessThanOrEqual(maxModules)
})
