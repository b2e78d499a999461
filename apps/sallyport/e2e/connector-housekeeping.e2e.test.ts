import { once } from 'node:events'
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createInstallation, type Installation } from './installation.ts'

const cfg = '/api/v1/configuration/connector'
let installation: Installation
let running: ReturnType<Installation['start']>
const start = async (): Promise<void> => {
  running = installation.start(['serve', 'connector', '--compat-default-password', '--port-offset', String(installation.portOffset)])
  await installation.ready(1)
}
const restart = async (): Promise<void> => {
  const ended = once(running, 'exit')
  running.kill('SIGTERM')
  await ended
  await start()
}
beforeAll(async () => {
  installation = await createInstallation()
  await start()
  await call('PUT', `${cfg}/authentication/basic`, { oldPassword: 'manage', newPassword: 'changed' }, 'manage')
  await call('POST', `${cfg}/haRole`, 'master')
}, 60_000)
afterAll(() => installation[Symbol.asyncDispose]())

interface Answer {
  readonly status: number
  readonly body: string
}

function call(method: string, path: string, body?: unknown, password = 'changed'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const target = { host: '127.0.0.1', port: installation.port('connectorAdmin'), method, path, rejectUnauthorized: false, agent: false }
    const headers = body === undefined ? {} : { 'content-type': 'application/json' }
    request({ ...target, auth: `Administrator:${password}`, headers }, (answer) => {
      let text = ''
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()))
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text }))
    })
      .on('error', reject)
      .end(body === undefined ? undefined : JSON.stringify(body))
  })
}
const read = async (path: string): Promise<any> => JSON.parse((await call('GET', path)).body)

it('CC-043 the next start has the heap that was set', async () => {
  expect((await call('PUT', '/api/private/v1/runtime', { initialHeap: '200M', maxHeap: '300M' })).status).toBe(204)
  for (const maxHeap of ['1024 M', '12345M']) expect((await call('PUT', '/api/private/v1/runtime', { maxHeap })).status).toBe(400)
  await restart()
  const { heapLimitBytes, ...settings } = await read('/api/private/v1/runtime')
  expect(settings).toEqual({ initialHeap: '200M', maxHeap: '300M' })
  // The young generation, of some 200 MB, comes on top of what was set; without it there are gigabytes.
  expect(heapLimitBytes / 1024 ** 2).toBeGreaterThanOrEqual(300)
  expect(heapLimitBytes / 1024 ** 2).toBeLessThan(600)
}, 60_000)

describe('logs and traces', () => {
  const path = `${cfg}/logAndTrace`

  it('take a level at once, and have it at the next start', async () => {
    const { logAndTracePath } = await read(path)
    expect(logAndTracePath).toBe(join(installation.data, 'connector', 'log'))
    expect((await call('PATCH', path, { sccLogLevel: 'OFF' })).status).toBe(204)
    await restart()
    expect(await read(path)).toMatchObject({ sccLogLevel: 'OFF', otherLogLevel: 'INFO' })
    const silent = readFileSync(join(logAndTracePath, 'scc_core.trc'), 'utf8')
    expect((await call('PATCH', path, { sccLogLevel: 'INFO' })).status).toBe(204)
    await expect.poll(() => readFileSync(join(logAndTracePath, 'scc_core.trc'), 'utf8').length).toBeGreaterThan(silent.length)
  }, 60_000)

  it('CC-153 hold no contents without a second person, not even after a start', async () => {
    expect((await call('PATCH', path, { cpicTraceLevel: 3 })).status).toBe(204)
    const file = join(installation.data, 'connector', 'scc_config', 'writeHexDump')
    mkdirSync(join(file, '..'), { recursive: true })
    // Whoever runs the connector cannot be the second person.
    writeFileSync(file, 'allowed=true\n')
    await restart()
    expect(await read(path)).toMatchObject({ cpicTraceLevel: 2 })
    const refused = await call('PATCH', path, { cpicTraceLevel: 3 })
    expect([refused.status, JSON.parse(refused.body)]).toEqual([
      403,
      { type: 'FORBIDDEN_REQUEST', message: `contents may not be traced: ${file} belongs to the user who runs the connector` },
    ])
    rmSync(file)
    await restart()
    expect(await read(path)).toMatchObject({ cpicTraceLevel: 2 })
    expect((await call('PATCH', path, { cpicTraceLevel: 0 })).status).toBe(204)
  }, 60_000)
})

describe('solution management', () => {
  const path = `${cfg}/solutionManagement`
  const agent = (name: string, script: string): string => {
    const file = join(installation.data, name)
    writeFileSync(file, `#!/bin/sh\n${script}\n`)
    chmodSync(file, 0o755)
    return file
  }

  it('asks the host agent of the machine, which learns nothing of this process', async () => {
    const seen = join(installation.data, 'seen')
    const hostAgentPath = agent('agent', `echo "$@" > ${seen}; env >> ${seen}`)
    expect((await call('POST', path, { hostAgentPath, dsrEnabled: true })).status).toBe(204)
    expect(await read(path)).toEqual({ isEnabled: true, hostAgentPath, dsrEnabled: true })
    const [words, ...environment] = readFileSync(seen, 'utf8').trim().split('\n')
    expect(words).toBe('-function Ping')
    // What the shell of the script adds by itself.
    expect(environment.filter((line) => !/^(?:PATH|PWD|OLDPWD|SHLVL|_)=/.test(line))).toEqual([])
    expect((await call('DELETE', path)).status).toBe(204)
  })

  it('says why the host agent did not answer', async () => {
    const hostAgentPath = agent('broken', 'echo "no connection to the service" >&2; exit 3')
    const failed = await call('POST', path, { hostAgentPath })
    expect([failed.status, JSON.parse(failed.body).message]).toEqual([
      500,
      `the host agent ${hostAgentPath} did not answer: it ended with status 3: no connection to the service`,
    ])
    expect((await call('POST', path, { hostAgentPath: installation.data })).status).toBe(409)
    const nothing = join(installation.data, 'text')
    writeFileSync(nothing, 'no program')
    const refused = await call('POST', path, { hostAgentPath: nothing })
    expect([refused.status, refused.body]).toEqual([500, expect.stringContaining('it could not be started (EACCES)')])
    expect((await read(path)).isEnabled).toBe(false)
  })
})
