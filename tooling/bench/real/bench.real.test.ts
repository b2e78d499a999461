import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findProgram } from '@sallyport/real-backends'
import { expect, it } from 'vitest'
import type { BenchRecord } from '../src/record.ts'

const needed = ['gcc', 'openssl', 'iperf3', 'wrk', 'nginx', 'haproxy', 'taskset']
// A tool of ours rather than a promise of the product: it is not installed everywhere, and REQUIRE_REAL does not ask for it.
const missing = needed.filter((program) => findProgram(program) === undefined)
if (missing.length > 0) process.stderr.write(`\n*** SKIPPED the benchmark: not installed: ${missing.join(', ')} ***\n`)

it.skipIf(process.platform !== 'linux' || missing.length > 0)(
  'a short run measures the product and a peer, and leaves nothing behind',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-test-'))
    try {
      const out = join(folder, 'samples.jsonl')
      const args = [
        '--rounds',
        '1',
        '--seconds',
        '1',
        '--impatient',
        '--no-pin',
        '--cases',
        'rtt,http',
        '--contenders',
        'sallyport,haproxy',
        '--out',
        out,
      ]
      const script = join(import.meta.dirname, '..', 'run.ts')
      const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@sallyport/source', script, ...args])
      const records = readFileSync(out, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as BenchRecord)
      expect(records.map((record) => [record.case, record.contender, record.error])).toEqual([
        ['rtt', 'sallyport', undefined],
        ['rtt', 'haproxy', undefined],
        ['http', 'sallyport', undefined],
        ['http', 'haproxy', undefined],
      ])
      expect(records.every(({ sample }) => sample !== undefined && sample.value > 0)).toBe(true)
      expect(stdout).toMatch(/rtt: round trip of one byte[^]*sallyport +\d/)
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
  60_000,
)
