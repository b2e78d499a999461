import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { skipUnless, skipUnlessRoot } from '@sallyport/real-backends'
import { expect, it } from 'vitest'
import { life } from '../src/life.ts'
import { obstacle } from '../src/obstacle.ts'

const missing = skipUnless('unshare', 'nsenter', 'setpriv', 'systemctl') || skipUnlessRoot()
const reason = missing ? undefined : obstacle('/')
// A machine may forbid namespaces or control groups, as many containers do: nothing that can be installed.
if (reason !== undefined) process.stderr.write(`\n*** SKIPPED a systemd of its own: ${reason} ***\n`)

it.skipIf(missing || reason !== undefined)(
  'the unit lives under a systemd of its own, from installation to removal',
  async () => {
    const words = ['--conditions=@sallyport/source', join(import.meta.dirname, '..', 'run.ts')]
    const { stdout } = await promisify(execFile)(process.execPath, words, { maxBuffer: 16 * 1024 * 1024, timeout: 280_000 })
    const [version, ...steps] = stdout.trim().split('\n')
    expect(version).toMatch(/^systemd \d+/)
    expect(steps.map((line) => line.replace(/^✔ | \([\d.]+ s\)$/g, ''))).toEqual(life.map(({ title }) => title))
  },
  300_000,
)
