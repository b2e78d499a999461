import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type AdministrationBench, type BenchAnswer, startAdministrationBench } from './administration-bench.ts'

const subaccount = (name: string): string => `/api/v1/configuration/subaccounts/cloud/${name}`
const own = (name: string): string => `/api/private/v1/subaccounts/cloud/${name}`
const mapping = {
  virtualHost: 'v',
  virtualPort: '1',
  localHost: 'l',
  localPort: '1',
  protocol: 'HTTP',
  backendType: 'nonSAPsys',
  authenticationMode: 'NONE',
}
const rfc = { ...mapping, virtualHost: 'r', virtualPort: 'sapgw00', localPort: 'sapgw00', protocol: 'RFC', backendType: 'abapSys' }
const jane = { client: '100', user: 'JANE' }
const domain = { virtualDomain: 'v.example', internalDomain: 'i.example' }
/** Two channels cannot have one port. */
const channelOf = (name: string): object => ({ k8sCluster: 'c.example', k8sService: 'service', port: name === 'own' ? 7000 : 7100 })
const machineOf = (name: string): object => ({ typeKey: 'HCPVM', details: 'vm', serviceNumber: name === 'own' ? 7001 : 7101 })

let bench: AdministrationBench
beforeEach(async () => {
  bench = await startAdministrationBench({ haRole: 'master' })
  await bench.expose({ regionHost: 'cloud', subaccount: 'own' })
  await bench.expose({ regionHost: 'cloud', subaccount: 'managed', isManaged: true })
  for (const name of ['own', 'managed'])
    for (const [path, body] of [
      [`${subaccount(name)}/systemMappings`, mapping],
      [`${subaccount(name)}/systemMappings/v:1/resources`, { id: '/x' }],
      [`${subaccount(name)}/systemMappings`, rfc],
      [`${subaccount(name)}/systemMappings/r:sapgw00/allowedClients`, ['100']],
      [`${subaccount(name)}/systemMappings/r:sapgw00/blockedClientUsers`, [jane]],
      [`${subaccount(name)}/domainMappings`, domain],
      [`${subaccount(name)}/channels/K8S`, channelOf(name)],
      [`${subaccount(name)}/channels`, machineOf(name)],
    ] as const) {
      const answer = await bench.call('POST', path, body)
      if (answer.status !== 201) throw new Error(`the set-up was answered ${answer.status}: ${answer.body}`)
    }
})
afterEach(() => bench[Symbol.asyncDispose]())

type Change = readonly [method: string, path: string, body?: unknown]

/** Calls that change something of a subaccount, in an order in which each can be done. */
const changesOf = (name: string): readonly Change[] => {
  const path = subaccount(name)
  const [http, gateway] = [`${path}/systemMappings/v:1`, `${path}/systemMappings/r:sapgw00`]
  return [
    ['PUT', path, { description: 'changed' }],
    ['PUT', `${path}/state`, { connected: false }],
    ['PUT', `${path}/trust`, { autoSyncTrustEnabled: false }],
    ['POST', `${path}/systemMappings`, { ...mapping, virtualPort: '2' }],
    ['PUT', http, { ...mapping, localPort: '2' }],
    ['POST', `${http}/resources`, { id: '/y' }],
    ['PUT', `${http}/resources/-x`, { enabled: false }],
    ['DELETE', `${http}/resources/-x`],
    ['DELETE', `${http}/resources`],
    ['POST', `${gateway}/allowedClients`, ['200']],
    ['PATCH', `${gateway}/allowedClients`, ['300']],
    ['DELETE', `${gateway}/allowedClients/300`],
    ['DELETE', `${gateway}/allowedClients`],
    ['POST', `${gateway}/blockedClientUsers`, [jane]],
    ['PATCH', `${gateway}/blockedClientUsers`, [{ client: '200', user: 'JOE' }]],
    ['DELETE', `${gateway}/blockedClientUsers/100:JANE`],
    ['DELETE', `${gateway}/blockedClientUsers`],
    ['DELETE', gateway],
    ['DELETE', `${path}/systemMappings`],
    ['POST', `${path}/domainMappings`, { virtualDomain: 'w.example', internalDomain: 'j.example' }],
    ['PUT', `${path}/domainMappings/i.example`, { ...domain, virtualDomain: 'x.example' }],
    ['DELETE', `${path}/domainMappings/i.example`],
    ['DELETE', `${path}/domainMappings`],
    ['POST', `${path}/channels/K8S`, { ...channelOf(name), port: 7002 }],
    ['PUT', `${path}/channels/K8S/1`, { ...channelOf(name), comment: 'changed' }],
    ['PUT', `${path}/channels/K8S/1/state`, { enabled: false }],
    ['POST', `${path}/channels`, { ...machineOf(name), serviceNumber: 7003 }],
    ['PUT', `${path}/channels/2`, { ...machineOf(name), details: 'other' }],
    ['PUT', `${path}/channels/2/state`, { enabled: false }],
    ['DELETE', `${path}/channels/K8S/1`],
    ['DELETE', `${path}/channels/K8S`],
    ['DELETE', `${path}/channels/2`],
    ['DELETE', `${path}/channels`],
    ['POST', `${own(name)}/accessControl/copy`, { regionHost: 'cloud', subaccount: 'own', overwrite: true }],
    ['POST', `${own(name)}/configuration/copy`, { regionHost: 'cloud', subaccount: 'own', overwrite: true }],
    ['DELETE', path],
  ]
}

/** Calls that ask the cloud side as well, or need a scenario. */
const otherChanges: readonly Change[] = [
  ['POST', `${subaccount('managed')}/validity`, { user: 'u', password: 'p' }],
  ['POST', `${subaccount('managed')}/trust`],
  ['DELETE', `${own('managed')}/systemMappings/v:1/scenarios/none`],
]

const isRefusedAsManaged = ({ body, status }: BenchAnswer): boolean => status === 403 && body.includes('is managed; only administrators')

describe('a managed subaccount', () => {
  it.each(['sccassocadmin', 'sccsubadmin'])('CC-123 is read by %s, who changes nothing in it', async (as) => {
    const before = JSON.stringify(bench.editor.document)
    for (const path of ['', '/systemMappings', '/systemMappings/v:1', '/domainMappings', '/channels/K8S', '/trust'])
      expect([path, (await bench.call('GET', `${subaccount('managed')}${path}`, undefined, { as })).status]).toEqual([path, 200])
    const admitted: string[] = []
    for (const [method, path, body] of [...changesOf('managed'), ...otherChanges])
      if (!isRefusedAsManaged(await bench.call(method, path, body, { as }))) admitted.push(`${method} ${path}`)
    expect(admitted).toEqual([])
    expect(JSON.stringify(bench.editor.document)).toBe(before)
  })

  it.each(['sccassocadmin', 'sccsubadmin'])('CC-123 is what keeps %s away: the others he changes', async (as) => {
    for (const [method, path, body] of changesOf('own')) {
      const { body: said, status } = await bench.call(method, path, body, { as })
      expect([method, path, said, status < 300]).toEqual([method, path, said, true])
    }
    expect(bench.editor.document.subaccounts.map((entry) => entry.subaccount)).toEqual(['managed'])
  })

  it.each(['accessControl', 'configuration'])('CC-123 gets no %s from a file but by an administrator', async (what) => {
    const archive = (await bench.call('GET', `${own('own')}/${what}`)).bytes
    const bring = async (as: string): Promise<BenchAnswer> =>
      await bench.upload(
        'POST',
        `${own('managed')}/${what}`,
        [
          ['archive', archive],
          ['overwrite', 'true'],
        ],
        { as },
      )
    for (const as of ['sccassocadmin', 'sccsubadmin']) expect([as, isRefusedAsManaged(await bring(as))]).toEqual([as, true])
    expect((await bring('sccadmin')).status).toBe(204)
  })

  it('CC-123 gets no scenario but by an administrator', async () => {
    const mappingOf = (name: string): string => `${own(name)}/systemMappings/v:1`
    const exported = await bench.call('POST', `${mappingOf('own')}/scenarios/export`, { name: 'one', resources: ['/x'] })
    const bring = async (as: string): Promise<BenchAnswer> =>
      await bench.upload('POST', `${mappingOf('managed')}/scenarios`, [['archive', exported.bytes]], { as })
    for (const as of ['sccassocadmin', 'sccsubadmin']) expect([as, isRefusedAsManaged(await bring(as))]).toEqual([as, true])
    expect((await bring('sccadmin')).status).toBe(201)
  })

  it('CC-123 is changed by administrators', async () => {
    for (const [method, path, body] of changesOf('managed')) {
      const { body: said, status } = await bench.call(method, path, body)
      expect([method, path, said, status < 300]).toEqual([method, path, said, true])
    }
    expect(bench.editor.document.subaccounts.map((entry) => entry.subaccount)).toEqual(['own'])
  })
})
