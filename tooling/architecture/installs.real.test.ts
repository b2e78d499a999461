import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { ProgramError, runBounded } from '../run-bounded.ts'
import { root } from './src/workspace.ts'

// It needs the registry and some minutes, which is too much for every run of the tests; where everything real is asked for, it runs.
const isAsked = process.env['REQUIRE_REAL'] === '1'
if (!isAsked) process.stderr.write('\n*** SKIPPED: adapters installed from their tarballs; REQUIRE_REAL=1 or `pnpm installs` does it ***\n')

/** The script ends by itself before. */
const limitMs = 540_000

const adapters = ['http', 'tcp', 'ldap', 'smtp', 'imap', 'pop3', 'rfc'] as const
const managers = ['npm', 'pnpm'] as const

describe.skipIf(!isAsked)('an adapter installed into an empty folder with only its peer, without install scripts', () => {
  let report = ''
  beforeAll(async () => {
    const script = join(root, 'tooling', 'check-installs.mjs')
    // It fails when one adapter does; the report says which.
    const { stdout, stderr } = await runBounded(process.execPath, [script], { cwd: root, timeoutMs: limitMs }).catch((error: unknown) => {
      if (error instanceof ProgramError) return error.output
      throw error
    })
    report = `${stdout}${stderr}`
  }, limitMs + 10_000)

  const cases = adapters.flatMap((adapter) => managers.map((manager) => ({ adapter, manager, title: `${adapter} by ${manager}` })))
  const unreachable = 'the registry is out of reach'
  const success = ({ adapter, manager }: (typeof cases)[number]): string =>
    `@sallyport/${adapter}, installed with ${manager}: works on Node 22 and 24, imported and required`

  it.for(cases.filter(({ adapter }) => adapter !== 'rfc'))('$title works on Node 22 and 24, imported and required', (test, { skip }) => {
    skip(report.includes(unreachable), report)
    expect(report).toContain(success(test))
  })
  it.for(cases.filter(({ adapter }) => adapter === 'rfc'))('PR-071 $title works without SDK and node-rfc', (test, { skip }) => {
    skip(report.includes(unreachable), report)
    expect(report).toContain(success(test))
  })
})
