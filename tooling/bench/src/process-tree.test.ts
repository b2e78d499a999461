import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { cpuMicroseconds, processTree, residentKilobytes } from './process-tree.ts'

describe.skipIf(process.platform !== 'linux')('a tree of processes', () => {
  it('holds the descendants, and nothing once it is gone', async () => {
    const shell = spawn('sh', ['-c', 'sleep 60 & echo started; wait'], { stdio: ['ignore', 'pipe', 'ignore'] })
    await once(shell.stdout, 'data')
    const tree = processTree(shell.pid ?? 0)
    expect(tree).toHaveLength(2)
    expect(residentKilobytes(tree)).toBeGreaterThan(0)
    const ended = once(shell, 'exit')
    for (const pid of tree) process.kill(pid, 'SIGKILL')
    await ended
    expect(processTree(shell.pid ?? 0)).toEqual([])
    expect(cpuMicroseconds([shell.pid ?? 0])).toBe(0)
    expect(residentKilobytes([shell.pid ?? 0])).toBe(0)
  })

  it('has spent CPU time', () => {
    expect(cpuMicroseconds([process.pid])).toBeGreaterThan(0)
  })
})
