import { Server } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type ControlServer, startControlServer } from './control-server.ts'

let server: ControlServer
beforeEach(async () => {
  server = await startControlServer({ echo: async (argument) => argument })
})
afterEach(() => server.close())

const ask = (name: string, headers: Readonly<Record<string, string>> = {}, method = 'POST'): Promise<Response> =>
  fetch(`${server.url}/${name}`, {
    method,
    headers: { authorization: `Bearer ${server.secret}`, ...headers },
    ...(method === 'POST' ? { body: '{"a":1}' } : {}),
  })

describe('control server', () => {
  it('answers whoever holds the secret', async () => {
    const answer = await ask('echo')
    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual({ a: 1 })
  })

  it.each<[string, Readonly<Record<string, string>>, string]>([
    ['without the secret', { authorization: '' }, 'POST'],
    ['with another one', { authorization: `Bearer ${'x'.repeat(43)}` }, 'POST'],
    ['from a web page', { origin: 'http://localhost' }, 'POST'],
    ['with another method', {}, 'GET'],
  ])('refuses a request %s', async (_what, headers, method) => {
    expect((await ask('echo', headers, method)).status).toBe(403)
  })

  it.each(['unknown', 'constructor', 'toString', '__proto__'])('knows no request %s', async (name) => {
    expect((await ask(name)).status).toBe(404)
  })

  it('goes on after connections that could not be accepted', async () => {
    const listen = vi.spyOn(Server.prototype, 'listen')
    const other = await startControlServer({ echo: async (argument) => argument })
    const listener = listen.mock.contexts.at(-1) as Server
    listen.mockRestore()
    for (let i = 0; i < 2; i++) listener.emit('error', new Error('accept ENFILE'))
    const answer = await fetch(`${other.url}/echo`, { method: 'POST', headers: { authorization: `Bearer ${other.secret}` } })
    expect(answer.status).toBe(200)
    await other.close()
  })

  it('reads no more than 64 KiB', async () => {
    const body = JSON.stringify({ a: 'x'.repeat(70_000) })
    const sent = fetch(`${server.url}/echo`, { method: 'POST', headers: { authorization: `Bearer ${server.secret}` }, body })
    await expect(sent).rejects.toThrow('fetch failed')
  })
})
