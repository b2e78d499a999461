import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { skipUnless, skipUnlessRoot } from '@sallyport/real-backends'
import { expect, it } from 'vitest'
import { obstacle } from '../src/isolation.ts'
import type { Report } from '../src/report.ts'

const missing = skipUnless('ip', 'unshare') || skipUnlessRoot()
const reason = missing ? undefined : obstacle()
// A machine may forbid namespaces, as many containers do: nothing that can be installed.
if (reason !== undefined) process.stderr.write(`\n*** SKIPPED faults between machines: ${reason} ***\n`)

it.skipIf(missing || reason !== undefined)(
  'CC-135 CC-137 CC-138 a master that is killed or cut off is stood in for, comes back as the shadow, and nothing acknowledged is lost',
  async () => {
    const words = ['--conditions=@sallyport/source', join(import.meta.dirname, '..', 'run.ts')]
    const options = ['--only', 'kill,isolated', '--of', 'master', '--json']
    const { stdout } = await promisify(execFile)(process.execPath, [...words, ...options], { maxBuffer: 16 * 1024 * 1024 })
    const { observations } = JSON.parse(stdout) as Report
    expect(observations.map(({ fault, lost, victim }) => [fault, victim, lost])).toEqual([
      ['kill', 'master', []],
      ['isolated', 'master', []],
    ])
    // The shadow serves before the fault ends, and stays the master.
    expect(observations.map(({ masters, servedMeanwhile }) => [...masters, servedMeanwhile])).toEqual([
      ['first', 'second', true],
      ['second', 'first', true],
    ])
    for (const { acknowledged, nextSuccessMs, sent } of observations) {
      // Longer a fault does not wait for a take-over.
      expect(nextSuccessMs).toBeLessThan(60_000)
      expect(acknowledged).toBeGreaterThan(0)
      expect(sent).toBeGreaterThan(0)
    }
  },
  // Where nobody takes over each fault lasts as long as it may: the run ends all the same, and says so.
  300_000,
)
