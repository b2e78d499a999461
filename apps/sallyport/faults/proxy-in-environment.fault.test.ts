import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { writeControlRecord } from '../src/control/control-record.ts'
import { startControlServer } from '../src/control/control-server.ts'
import { openDataFolder } from '../src/stack/data-folder.ts'

it('the secret of a running process goes to no proxy, whatever the environment says', async () => {
  const path = mkdtempSync(join(tmpdir(), 'sallyport-'))
  const seen: unknown[] = []
  const proxy = createServer((request, response) => {
    seen.push(request.headers)
    response.end('{}')
  })
  proxy.on('connect', (request, socket) => {
    seen.push(request.headers)
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n')
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const control = await startControlServer({ echo: async (argument) => argument })
  try {
    writeControlRecord(openDataFolder(path), { name: 'dev', pid: process.pid, url: control.url, secret: control.secret, startedAtMs: 0 })
    const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
    const child = spawn(process.execPath, ['--conditions=@sallyport/source', join(import.meta.dirname, 'ask-control.ts'), path], {
      env: { ...process.env, NODE_USE_ENV_PROXY: '1', HTTP_PROXY: address, http_proxy: address, NO_PROXY: '', no_proxy: '' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
    await once(child, 'close')
    expect(seen).toEqual([])
    expect(said).toBe('{"a":1}')
  } finally {
    await control.close()
    proxy.closeAllConnections()
    proxy.close()
    rmSync(path, { recursive: true })
  }
})
