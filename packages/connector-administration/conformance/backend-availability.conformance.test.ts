import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { region } from './small-cloud.ts'
import { demo, startSubaccountBench, type SubaccountBench } from './subaccount-bench.ts'

let world: SubaccountBench
beforeEach(async () => {
  world = await startSubaccountBench()
})
afterEach(() => world[Symbol.asyncDispose]())

describe('the backend of a mapping', () => {
  const views = `/api/private/v1/subaccounts/${region}/demo/systemMappings`
  const mapping = { virtualPort: '80', localHost: '127.0.0.1', protocol: 'HTTP', backendType: 'nonSAPsys' }
  const viewOf = async (name: string) => (await world.bench.call('GET', `${views}/${name}:80/availability`)).json()

  it('CC-073 CC-074 CC-075 is looked for when a mapping is saved, by HEAD /, once for all that lead there with the same protocol', async () => {
    const asked: string[] = []
    const backend = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`)
      response.writeHead(404).end()
    }).listen(0, '127.0.0.1')
    await once(backend, 'listening')
    const localPort = String((backend.address() as AddressInfo).port)
    try {
      await world.add()
      expect((await world.bench.call('POST', `${demo}/systemMappings`, { ...mapping, virtualHost: 'here', localPort })).status).toBe(201)
      await expect.poll(() => viewOf('here')).toMatchObject({ state: 'Reachable', checkedTimeStamp: world.clock.now() })
      expect(asked).toEqual(['HEAD /'])
      backend.close()
      backend.closeAllConnections()
      // Nobody listens there any more, and the mapping is saved all the same.
      expect((await world.bench.call('POST', `${demo}/systemMappings`, { ...mapping, virtualHost: 'gone', localPort })).status).toBe(201)
      await expect.poll(() => viewOf('gone')).toMatchObject({ state: 'Unreachable', detail: expect.stringMatching(/./) })
      // The other one leads to the same place, so it has the same result; one of another protocol has its own.
      expect(await viewOf('here')).toEqual(await viewOf('gone'))
      await world.bench.editor.change('bench', (document) => ({
        ...document,
        subaccounts: document.subaccounts.map((entry) => ({
          ...entry,
          systemMappings: [
            ...entry.systemMappings,
            { ...(entry.systemMappings[0] as (typeof entry.systemMappings)[number]), virtualHost: 'tcp', protocol: 'TCP' as const },
          ],
        })),
      }))
      expect(await viewOf('tcp')).toEqual({ state: 'NotChecked', checkedTimeStamp: 0, detail: '' })
      expect((await world.bench.call('POST', `${views}/tcp:80/availability`)).json()).toMatchObject({ state: 'Unreachable' })
    } finally {
      backend.close()
    }
  })
})
