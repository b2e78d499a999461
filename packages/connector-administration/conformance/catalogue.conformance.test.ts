import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AdministrationBench, type BenchAnswer, startAdministrationBench } from './administration-bench.ts'
import { catalogue, unsupported } from './catalogue.ts'

const roles = ['sccadmin', 'sccassocadmin', 'sccsubadmin', 'sccsupport', 'sccdisplay', 'sccmonitoring', 'stranger']
const bodyOf = (method: string): unknown => (method === 'GET' || method === 'DELETE' ? undefined : {})
const isRefusedByRole = ({ body, status }: BenchAnswer): boolean => status === 403 && body.includes('it takes one of the roles')

let bench: AdministrationBench
const call = (method: string, path: string, as = 'sccadmin'): Promise<BenchAnswer> => bench.call(method, path, bodyOf(method), { as })

describe('on a master', () => {
  beforeAll(async () => {
    bench = await startAdministrationBench({ haRole: 'master' })
  })
  afterAll(() => bench[Symbol.asyncDispose]())

  it('has every method of every path of the catalogue, once', async () => {
    const names = catalogue.map(({ method, path }) => `${method} ${path}`)
    expect(names.length).toBeGreaterThan(150)
    expect(new Set(names).size).toBe(names.length)
    const missing: string[] = []
    for (const { method, onMaster, path } of catalogue) {
      const { body, status } = await call(method, path)
      if (status === 405 || body.includes('there is nothing here') || status === (onMaster ?? 500)) {
        if (status !== onMaster) missing.push(`${method} ${path}: ${status} ${body}`)
      } else if (onMaster !== undefined) missing.push(`${method} ${path}: ${status} on a master`)
    }
    expect(missing).toEqual([])
  })

  it('CC-122 lets exactly the roles of the catalogue pass', async () => {
    const wrong: string[] = []
    for (const entry of catalogue) {
      const admitted: string[] = []
      for (const as of roles) if (!isRefusedByRole(await call(entry.method, entry.path, as))) admitted.push(as)
      if (admitted.join() !== entry.roles.join()) wrong.push(`${entry.method} ${entry.path}: ${admitted.join()}`)
    }
    expect(wrong).toEqual([])
  }, 30_000)

  it.each(unsupported)('does not know %s %s', async (method, path) => {
    const answer = await call(method, path)
    expect([answer.status, answer.json().type]).toEqual([405, 'INVALID_REQUEST'])
  })

  it('CC-175 answers every error of the catalogue with type and message', async () => {
    for (const { method, path } of catalogue) {
      const answer = await call(method, path)
      if (answer.status < 400) continue
      expect(answer.json(), `${method} ${path}`).toEqual({ type: expect.stringMatching(/^[A-Z_]+$/), message: expect.stringMatching(/\S/) })
      expect(answer.json().message).not.toMatch(/Invalid |expected|Too (?:small|big)|Unrecognized/)
    }
  })
})

describe('on a shadow', () => {
  beforeAll(async () => {
    bench = await startAdministrationBench({ haRole: 'shadow' })
  })
  afterAll(() => bench[Symbol.asyncDispose]())

  it('refuses what the catalogue gives to the master alone, and nothing else', async () => {
    const wrong: string[] = []
    for (const { method, onShadow, path } of catalogue) {
      const { body, status } = await call(method, path)
      const refused = body.includes('running with HA role shadow') ? status : undefined
      if (refused !== onShadow) wrong.push(`${method} ${path}: ${status} ${body}`)
    }
    expect(wrong).toEqual([])
  })
})
