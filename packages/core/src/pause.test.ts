import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { pause } from './pause.ts'

it('keeps the process alive, which nothing else may do meanwhile', async () => {
  const module = JSON.stringify(join(import.meta.dirname, 'index.ts'))
  const code = `const { pause, systemClock } = await import(${module}); await pause(systemClock, 50, AbortSignal.timeout(5000), 'wait'); console.log('went on')`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], { timeout: 10_000 })
  expect(stdout).toBe('went on\n')
})

it('ends with the signal', async () => {
  const standing = { now: () => 0, elapsed: () => 0, after: () => () => {} }
  await expect(pause(standing, 1000, AbortSignal.abort(), 'wait')).rejects.toMatchObject({ code: 'ABORTED' })
})
