import { existsSync } from 'node:fs'
import { freePort } from '@sallyport/real-backends'
import type { Contender } from '../contender.ts'
import { accepting, versionOf } from '../processes.ts'

/** chisel (Go): SSH channels in a WebSocket, encrypted by SSH. */
export function createChisel(program: string | undefined): Contender {
  return {
    name: 'chisel',
    carries: ['tcp'],
    missing: () => (program === undefined ? 'give its path with --chisel' : existsSync(program) ? undefined : `${program} is not there`),
    version: () => versionOf(program ?? 'chisel', ['--version']),
    async up(site) {
      if (program === undefined) throw new Error('chisel is not there')
      const front = await freePort()
      const tunnel = await freePort()
      const cloud = site.start('cloud', program, ['server', '--host', '127.0.0.1', '--port', String(tunnel), '--reverse'])
      await accepting(tunnel, cloud)
      const remote = `R:127.0.0.1:${front}:127.0.0.1:${site.target}`
      const connector = site.start('connector', program, ['client', `http://127.0.0.1:${await site.through(tunnel)}`, remote])
      await accepting(front, connector)
      return { front, ends: { cloud, connector } }
    },
  }
}
