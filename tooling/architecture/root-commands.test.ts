import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from './src/workspace.ts'

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly scripts: Readonly<Record<string, string>> }

/** Runs what a script of the root does last, which is the command itself. */
function run(name: string, option: string): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const [program = '', ...words] = (scripts[name]?.split(' && ').at(-1) ?? '').split(' ')
  expect(program).toBe('node')
  return spawnSync(process.execPath, [...words, option], { cwd: root, encoding: 'utf8', timeout: 15_000 })
}

describe.each(['bench:access', 'crash'])('pnpm %s', (name) => {
  it('--help says which options there are, and does nothing else', () => {
    const { status, stderr, stdout } = run(name, '--help')
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(new RegExp(`^pnpm ${name} \\[options\\]\\n\\n  --\\w`))
  })

  it('another option than those is refused with them, and nothing is done', () => {
    const { status, stderr, stdout } = run(name, '--turns=1')
    expect([status, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(new RegExp(`--turns.*pnpm ${name} \\[options\\]`, 's'))
  })
})
