import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type HttpBackend, startHttpBackend } from '../conformance/backends.ts'
import { type Rig, startRig } from '../conformance/rig.ts'

const run = promisify(execFile)

function hasCurl(): boolean {
  try {
    execFileSync('curl', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    if (process.env['REQUIRE_REAL'] === '1') throw new Error('curl is missing, and REQUIRE_REAL is set')
    process.stderr.write('skipped: curl is not installed\n')
    return false
  }
}

describe.skipIf(!hasCurl())('curl as an application behind the proxy', () => {
  let rig: Rig
  let backend: HttpBackend
  let folder: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-curl-'))
    backend = await startHttpBackend()
    rig = await startRig()
    await rig.connect({ mappings: { 'erp.demo:8000': backend.port } })
  })
  afterAll(async () => {
    await rig[Symbol.asyncDispose]()
    await backend[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true })
  })

  async function curl(...args: string[]): Promise<{ status: number; body: string; connections: number }> {
    const common = [
      '--silent',
      '--max-time',
      '20',
      '--proxy',
      `http://127.0.0.1:${rig.http}`,
      '--write-out',
      '\n%{http_code} %{num_connects}',
    ]
    const { stdout } = await run('curl', [...common, ...args], { maxBuffer: 64 << 20 })
    const [, body = '', status = '', connections = ''] = /^([\s\S]*)\n(\d+) (\d+)$/.exec(stdout) ?? []
    return { status: Number(status), body, connections: Number(connections) }
  }
  const authorised = (): string[] => ['--proxy-header', `Proxy-Authorization: ${rig.bearer()}`]

  it('CP-014 reaches a backend whose name nobody resolves', async () => {
    const answer = await curl(...authorised(), 'http://erp.demo:8000/a%20b?c=d')
    expect(answer).toMatchObject({ status: 200 })
    expect(JSON.parse(answer.body)).toMatchObject({ url: '/a%20b?c=d' })
  })

  it('CP-034 sends the token as user name of Basic authentication', async () => {
    const token = rig.issuer.technical()
    expect((await curl('--proxy-user', `${token}:`, 'http://erp.demo:8000/basic')).status).toBe(200)
  })

  it('CP-045 is told 407 without a token', async () => {
    expect((await curl('http://erp.demo:8000/')).status).toBe(407)
  })

  it('CP-016 is refused a tunnel for https, and the connection is closed cleanly', async () => {
    const more = ['--write-out', '%{http_connect}', 'https://erp.demo:8000/']
    const failure = await curl(...authorised(), ...more).catch((error: unknown) => error as { code: number; stdout: string })
    // 56: the proxy refused CONNECT. Anything that goes wrong with the socket has another number.
    expect(failure).toMatchObject({ code: 56, stdout: '405' })
  })

  it('uploads a file that is large enough to wait for 100 Continue', async () => {
    const file = join(folder, 'upload')
    writeFileSync(file, Buffer.alloc(3 << 20, 'data '))
    const answer = await curl(
      ...authorised(),
      '--header',
      'Expect: 100-continue',
      '--data-binary',
      `@${file}`,
      'http://erp.demo:8000/upload',
    )
    expect(answer.status).toBe(200)
    expect(backend.requests.at(-1)?.body.length).toBe(3 << 20)
  })

  it('uploads in chunks', async () => {
    const file = join(folder, 'chunks')
    writeFileSync(file, 'chunked content')
    await curl(...authorised(), '--header', 'Transfer-Encoding: chunked', '--upload-file', file, 'http://erp.demo:8000/chunks')
    expect(backend.requests.at(-1)).toMatchObject({ method: 'PUT', body: Buffer.from('chunked content') })
  })

  it('CP-083 uses one connection for several requests, and so does the backend', async () => {
    const before = backend.connections
    const answer = await curl(...authorised(), 'http://erp.demo:8000/1', 'http://erp.demo:8000/2', 'http://erp.demo:8000/3')
    expect(answer.connections).toBe(0)
    expect(backend.connections - before).toBe(1)
  })

  it('speaks HTTP/1.0 when told to', async () => {
    const answer = await curl(...authorised(), '--http1.0', 'http://erp.demo:8000/old')
    expect(answer).toMatchObject({ status: 200 })
    expect(JSON.parse(answer.body)).toMatchObject({ url: '/old' })
  })

  it('asks with HEAD and does not wait for a body', async () => {
    expect((await curl(...authorised(), '--head', 'http://erp.demo:8000/')).status).toBe(200)
  })
})
