import { accounted } from '../account.ts'
import type { BenchCase } from '../bench-case.ts'
import { runForAnswer } from '../processes.ts'

const total = 4000
const concurrency = 32

export const streamSetUps: BenchCase = {
  name: 'setups',
  title: 'stream set-ups',
  unit: '1/s',
  better: 'higher',
  carries: 'tcp',
  speaksSocks: true,
  target: 'echo',
  async measure({ loadTool, loadEnv: env }, tunnel) {
    const load = (connections: number): Promise<Readonly<Record<string, unknown>>> =>
      runForAnswer(
        { side: 'cloud', command: loadTool, env, args: ['connect', String(tunnel.front), String(connections), String(concurrency)] },
        'perSecond',
        60_000,
      )
    await load(total / 4)
    const { result, cloud, connector } = await accounted(tunnel, () => load(total))
    if (result['errors'] !== 0) throw new Error(`${String(result['errors'])} of ${total} connections failed`)
    return {
      value: Number(result['perSecond']),
      details: { p50Us: Number(result['p50']), p99Us: Number(result['p99']) },
      cpu: { cloud, connector, operations: total },
    }
  },
}
