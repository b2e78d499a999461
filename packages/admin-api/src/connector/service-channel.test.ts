import { describe, expect, it } from 'vitest'
import { localPortOf, type ServiceChannelEntry, serviceChannelSchema, targetOf } from './service-channel.ts'

const abap = { type: 'ABAPCloud', abapCloudTenantHost: 'Guid.abap.eu10.hana.ondemand.com', instanceNumber: 5 }
const read = (entry: object): ServiceChannelEntry => serviceChannelSchema.parse(entry)

describe('service channel', () => {
  it.each<[object, number, object]>([
    [abap, 3305, { serviceType: 'RFC', serviceId: 'guid.abap.eu10.hana.ondemand.com' }],
    [{ ...abap, type: 'ABAPCloudSNC', instanceNumber: 20 }, 4820, { serviceType: 'RFC' }],
    [{ type: 'HANA', hanaInstanceName: 'h1', instanceNumber: 7 }, 30_715, { serviceType: 'TCP', serviceId: 'h1' }],
    [{ type: 'VirtualMachine', name: 'vm', endpointId: 'b1a2', port: 22 }, 22, { serviceType: 'TCP', serviceId: 'b1a2' }],
    [{ type: 'K8S', k8sCluster: 'cp/db', port: 1 }, 1, { serviceType: 'TCP', serviceId: 'db', cluster: 'cp:443' }],
    [
      { type: 'K8S', k8sCluster: 'rfc://[::1]:44', k8sService: 'a', port: 1 },
      1,
      { serviceType: 'RFC', serviceId: 'a', cluster: '[::1]:44' },
    ],
  ])('%j has its port and its target', (written, port, target) => {
    const entry = read(written)
    expect(localPortOf(entry)).toBe(port)
    expect(targetOf(entry)).toMatchObject(target)
  })

  it('is enabled, on this machine only, with one physical connection, unless written otherwise', () => {
    expect(read(abap)).toMatchObject({ enabled: true, host: '127.0.0.1', connections: 1, maxClients: 1_000, comment: '' })
  })

  it.each([
    [{ ...abap, instanceNumber: 100 }],
    [{ ...abap, abapCloudTenantHost: 'https://x' }],
    [{ ...abap, port: 3305 }],
    [{ type: 'K8S', k8sCluster: 'cp', port: 0 }],
    [{ type: 'K8S', k8sCluster: 'cp', k8sService: 'a/b', port: 1 }],
    [{ type: 'HANA', hanaInstanceName: '', instanceNumber: 1 }],
    [{ type: 'SSH', port: 1 }],
  ])('%j is refused', (written) => {
    expect(serviceChannelSchema.safeParse(written).success).toBe(false)
  })
})
