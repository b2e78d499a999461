import { afterEach, describe, expect, it, vi } from 'vitest'
import { findProgram, skipUnless, startForeground, startNginx } from '../src/index.ts'

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

describe('the search for programs', () => {
  it('finds a shell and says loudly what is missing', () => {
    expect(findProgram('sh')).toMatch(/\/sh$/)
    expect(findProgram('no-such-program')).toBeUndefined()
    const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    vi.stubEnv('REQUIRE_REAL', '')
    expect(skipUnless('sh')).toBe(false)
    expect(skipUnless('sh', 'no-such-program')).toBe(true)
    expect(written.mock.calls.join('')).toContain('SKIPPED against the real world: not installed: no-such-program')
  })

  it('fails instead of skipping when real programs are required', () => {
    vi.stubEnv('REQUIRE_REAL', '1')
    expect(() => skipUnless('no-such-program')).toThrow(/no-such-program.*REQUIRE_REAL/)
  })
})

describe('a program in the foreground', () => {
  it('that ends before it is ready is reported with what it said', async () => {
    const started = startForeground({ program: 'sh', args: ['-c', 'echo because >&2; exit 3'], ready: /never/, timeoutMs: 5000 })
    await expect(started).rejects.toThrow(/sh ended with 3: because/)
  })

  it('that never gets ready is ended', async () => {
    const started = startForeground({ program: 'sh', args: ['-c', 'exec sleep 60'], ready: /never/, timeoutMs: 50 })
    await expect(started).rejects.toThrow(/not ready after 50 ms/)
  })
})

describe.skipIf(skipUnless('nginx'))('nginx', () => {
  it('serves its configuration until it is stopped', async () => {
    const nginx = await startNginx({
      configuration: ({ port }) => `server { listen 127.0.0.1:${port}; location / { return 200 "hello"; } }`,
    })
    const url = `http://127.0.0.1:${nginx.port}/`
    const answer = await fetch(url)
    expect(await answer.text()).toBe('hello')
    await nginx.stop()
    await nginx.stop()
    await expect(fetch(url)).rejects.toThrow(/fetch failed/)
  })

  it('that refuses its configuration is reported', async () => {
    await expect(startNginx({ configuration: () => 'nonsense;' })).rejects.toThrow(/unknown directive "nonsense"/)
  })
})
