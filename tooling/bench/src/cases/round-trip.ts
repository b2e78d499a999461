import { accounted } from '../account.ts'
import type { BenchCase } from '../bench-case.ts'
import type { Link } from '../link.ts'
import { pause, type Running, runForAnswer, start } from '../processes.ts'

const narrowLink: Link = { oneWayMs: 10, kilobytesPerSecond: 25_000, queueMs: 20 }
const bulkStreams = 4
/** Until the bulk streams fill the link. */
const settleMs = 1500

export const roundTrip: BenchCase = {
  name: 'rtt',
  title: 'round trip of one byte, median',
  unit: 'µs',
  better: 'lower',
  carries: 'tcp',
  speaksSocks: true,
  target: 'echo',
  async measure({ loadTool, loadEnv: env, seconds }, tunnel) {
    const args = ['roundtrip', String(tunnel.front), String(seconds), '0']
    const { result, cloud, connector } = await accounted(tunnel, () =>
      runForAnswer({ side: 'cloud', command: loadTool, env, args }, 'p50', (seconds + 20) * 1000),
    )
    return {
      value: Number(result['p50']),
      details: { p99Us: Number(result['p99']) },
      cpu: { cloud, connector, operations: Number(result['count']) },
    }
  },
}

/** A person's click beside transfers in both directions, on a link that the transfers fill. */
export const besideBulk: BenchCase = {
  name: 'beside',
  title: `round trip beside ${bulkStreams} bulk streams, link of 25 MB/s and 20 ms`,
  unit: 'ms',
  better: 'lower',
  carries: 'tcp',
  speaksSocks: true,
  target: 'echo',
  link: narrowLink,
  async measure({ loadTool, loadEnv: env, seconds }, tunnel) {
    const duration = seconds + 2
    const floods: Running[] = Array.from({ length: bulkStreams }, () =>
      start({ side: 'cloud', command: loadTool, env, args: ['flood', String(tunnel.front), String(duration + settleMs / 1000)] }),
    )
    try {
      await pause(settleMs)
      const args = ['roundtrip', String(tunnel.front), String(duration), '1000']
      const result = await runForAnswer({ side: 'cloud', command: loadTool, env, args }, 'p50', (duration + 20) * 1000)
      const bulk = await Promise.all(floods.map((flood) => flood.answer('megabytesPerSecond')))
      const megabytesPerSecond = bulk.reduce((sum, answer) => sum + Number(answer['megabytesPerSecond']), 0)
      return {
        value: Number(result['p50']) / 1000,
        details: { p99Ms: Number(result['p99']) / 1000, bulkMegabytesPerSecond: megabytesPerSecond },
      }
    } finally {
      await Promise.all(floods.map((flood) => flood.stop()))
    }
  },
}
