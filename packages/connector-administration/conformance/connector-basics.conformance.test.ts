import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type AdministrationBench, startAdministrationBench } from './administration-bench.ts'

const base = '/api/v1/configuration/connector'
let bench: AdministrationBench
beforeEach(async () => {
  bench = await startAdministrationBench()
})
afterEach(() => bench[Symbol.asyncDispose]())

describe('before a role is chosen', () => {
  it('CC-008 everything but the choice is refused with the text of the original', async () => {
    const answer = await bench.call('GET', base)
    expect([answer.status, answer.json()]).toEqual([
      403,
      { type: 'FORBIDDEN_REQUEST', message: 'method is not allowed for connector running with HA role undefined' },
    ])
    expect((await bench.call('GET', `${base}/haRole`)).json()).toBe('undefined')
  })

  it('CC-009 a fresh instance becomes master, and says so', async () => {
    expect((await bench.call('POST', `${base}/haRole`, 'master')).status).toBe(204)
    expect((await bench.call('GET', `${base}/haRole`)).json()).toBe('master')
    expect((await bench.call('GET', '/exposed?action=hasMasterRole')).body).toBe('true')
  })

  it('CC-010 no other role can be chosen', async () => {
    expect(await bench.call('POST', `${base}/haRole`, 'foo')).toMatchObject({ status: 400 })
    expect((await bench.call('GET', `${base}/haRole`)).json()).toBe('undefined')
  })

  it('CC-011 a master that is told to be master again answers 409', async () => {
    await bench.call('POST', `${base}/haRole`, 'master')
    const answer = await bench.call('POST', `${base}/haRole`, 'master')
    expect([answer.status, answer.json().type]).toEqual([409, 'ILLEGAL_STATE'])
  })
})

describe('a master', () => {
  beforeEach(() => bench.call('POST', `${base}/haRole`, 'master'))

  it('CC-012 has a description that can be set and cleared, but is no null', async () => {
    expect((await bench.call('PUT', base, { description: 'of plant 7' })).json()).toEqual({ ha: 'master', description: 'of plant 7' })
    expect((await bench.call('PUT', base, { description: null })).status).toBe(400)
    expect((await bench.call('GET', base)).json()).toEqual({ ha: 'master', description: 'of plant 7' })
    expect((await bench.call('PUT', base, { description: '' })).json()).toEqual({ ha: 'master', description: '' })
  })

  it('CC-013 CC-014 has a proxy whose port may be a number and is told as a text, whose password is not told, and which goes away by DELETE or {}', async () => {
    const proxy = { host: 'proxy.example', port: 8080, user: 'u', password: 'hidden' }
    expect((await bench.call('PUT', `${base}/proxy`, proxy)).status).toBe(204)
    expect((await bench.call('GET', `${base}/proxy`)).json()).toEqual({ host: 'proxy.example', port: '8080', user: 'u', password: '***' })
    expect((await bench.call('DELETE', `${base}/proxy`)).status).toBe(204)
    expect((await bench.call('GET', `${base}/proxy`)).json()).toEqual({})
    await bench.call('PUT', `${base}/proxy`, { host: 'proxy.example', port: '8080' })
    expect((await bench.call('GET', `${base}/proxy`)).json()).toEqual({ host: 'proxy.example', port: '8080' })
    expect((await bench.call('PUT', `${base}/proxy`, {})).status).toBe(204)
    expect((await bench.call('GET', `${base}/proxy`)).json()).toEqual({})
  })

  it('keeps what was acknowledged over a restart', async () => {
    await bench.call('PUT', base, { description: 'kept' })
    await bench[Symbol.asyncDispose]()
    bench = await startAdministrationBench({ material: bench.material })
    expect((await bench.call('GET', base)).json()).toEqual({ ha: 'master', description: 'kept' })
  })

  it('CC-173 a body that is not JSON is refused with 415, and DELETE needs no content type', async () => {
    const answer = await bench.call('PUT', `${base}/proxy`, { host: 'h', port: 1 }, { headers: { 'content-type': 'text/plain' } })
    expect(answer.status).toBe(415)
    expect((await bench.call('DELETE', `${base}/proxy`)).status).toBe(204)
  })

  it.each([
    ['sccdisplay', 'GET', base, 200],
    ['sccdisplay', 'PUT', base, 403],
    ['sccsubadmin', 'PUT', base, 403],
    ['sccassocadmin', 'PUT', base, 200],
    ['sccassocadmin', 'DELETE', `${base}/proxy`, 403],
    ['stranger', 'GET', base, 403],
  ])('lets %s do %s %s or not: %i', async (as, method, path, status) => {
    const answer = await bench.call(method, path, method === 'PUT' ? { description: 'x' } : undefined, { as })
    expect(answer.status).toBe(status)
  })
})
