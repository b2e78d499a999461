import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openDataFolder } from '../src/stack/data-folder.ts'

let path: string
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'sallyport-'))
})
afterEach(() => rmSync(path, { recursive: true }))

function startProcess() {
  const script = join(import.meta.dirname, 'open-authority.ts')
  const child = spawn(process.execPath, ['--conditions=@sallyport/source', script, path], { stdio: ['pipe', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
  return { child, ready: once(child.stdout, 'data'), made: once(child, 'close').then(() => said.replace('ready\n', '')) }
}

it('processes that start for the first time at the same moment share one authority, one certificate and one connector ID', async () => {
  const processes = Array.from({ length: 4 }, startProcess)
  try {
    await Promise.all(processes.map(({ ready }) => ready))
    for (const { child } of processes) child.stdin.end('go')
    const made = await Promise.all(processes.map((one) => one.made))
    expect(new Set(made).size).toBe(1)
    const folder = openDataFolder(path)
    const files = [folder.read('ca.crt'), folder.read('ca.key'), { certificate: folder.read('server.crt'), key: folder.read('server.key') }]
    expect(JSON.parse(made[0] ?? '')).toEqual([...files, folder.read('connector', 'id')?.trim()])
  } finally {
    for (const { child } of processes) child.kill('SIGKILL')
  }
})
