import { ConnectivityError } from '@sallyport/core'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { readZip } from '../src/backup/zip-file.ts'
import { type AdministrationBench, startAdministrationBench } from './administration-bench.ts'

const path = '/api/v1/configuration/connector/solutionManagement'
const usual = '/usr/sap/hostctrl/exe/saphostctrl'
let bench: AdministrationBench
let files: readonly string[]
let pinged: string[]
let fails: boolean
const hostAgent = {
  isFile: async (program: string) => files.includes(program),
  async ping(program: string) {
    pinged.push(program)
    if (fails) throw new ConnectivityError('SERVICE_UNAVAILABLE', `the host agent ${program} did not answer: it ended with status 3`)
  },
}
const start = async (haRole: 'master' | 'shadow'): Promise<void> => {
  bench = await startAdministrationBench({ haRole, hostAgent })
}
beforeEach(async () => {
  files = [usual]
  pinged = []
  fails = false
  await start('master')
})
afterEach(() => bench[Symbol.asyncDispose]())
const shown = async (): Promise<unknown> => (await bench.call('GET', path)).json()
const off = { isEnabled: false, hostAgentPath: usual, dsrEnabled: false }

it('is switched on without a body when the host agent answers, and off', async () => {
  expect(await shown()).toEqual(off)
  expect((await bench.call('POST', path, undefined, { as: 'sccsupport' })).status).toBe(204)
  expect(await shown()).toEqual({ ...off, isEnabled: true })
  expect(pinged).toEqual([usual])
  files = ['/opt/agent']
  expect((await bench.call('POST', path, { hostAgentPath: '/opt/agent', dsrEnabled: 'true' })).status).toBe(204)
  expect((await bench.call('DELETE', path)).status).toBe(204)
  expect(await shown()).toEqual({ isEnabled: false, hostAgentPath: '/opt/agent', dsrEnabled: true })
  expect(pinged).toEqual([usual, '/opt/agent'])
})

it('stays off without the host agent, or when it fails, and stores nothing', async () => {
  const answer = await bench.call('POST', path, { hostAgentPath: '/missing', dsrEnabled: true })
  expect([answer.status, answer.json()]).toEqual([
    409,
    {
      type: 'INVALID_CONFIGURATION',
      message: 'the host agent /missing is not a file or does not exist; install it, or give hostAgentPath',
    },
  ])
  fails = true
  const failed = await bench.call('POST', path, { dsrEnabled: true })
  expect([failed.status, failed.json()]).toEqual([
    500,
    { type: 'RUNTIME_FAILURE', message: `the host agent ${usual} did not answer: it ended with status 3` },
  ])
  expect((await bench.call('POST', path, { hostAgentPath: 'relative/agent' })).status).toBe(400)
  expect((await bench.call('POST', path, 'on', { headers: { 'content-type': 'text/plain' } })).status).toBe(415)
  expect(await shown()).toEqual(off)
})

it('of a shadow is stored and not made active', async () => {
  await bench[Symbol.asyncDispose]()
  await start('shadow')
  expect((await bench.call('POST', path, { hostAgentPath: '/later' })).status).toBe(204)
  expect(await shown()).toEqual({ ...off, hostAgentPath: '/later' })
  expect(pinged).toEqual([])
})

it('has a file that registers the installation, whatever its names hold', async () => {
  await bench.call('PUT', '/api/v1/configuration/connector', { description: 'plant "7" <&>\u0000' })
  await bench.expose({ regionHost: 'cf.demo.example', subaccount: 'demo' })
  const answer = await bench.call('GET', `${path}/registrationFile`, undefined, { as: 'sccsupport' })
  expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/zip'])
  const text = readZip(answer.bytes).get('lmdbModel.xml')?.toString() ?? ''
  expect(text).toContain(`id="bench" version="1.2.3" host="127.0.0.1" port="${bench.port}" role="master"`)
  expect(text).toContain('description="plant &#34;7&#34; &#60;&#38;&#62; "')
  expect(text).toContain('<subaccount id="demo" regionHost="cf.demo.example" locationId="" name=""/>')
})

it.each(['a b', 'x:99999', '[::1'])('a registration file for the address %j is refused', async (host) => {
  // A client that looks at the certificate would look for this host in it.
  await using other = await startAdministrationBench({ haRole: 'master', isPageReplaced: true })
  const answer = await other.call('GET', `${path}/registrationFile`, undefined, { headers: { host } })
  expect([answer.status, answer.json().message]).toEqual([400, expect.stringContaining('the header Host')])
})
