import { describe, expect, it } from 'vitest'
import { administeredDocumentSchema } from './administered-document.ts'
import { explainProblem } from './explain-problem.ts'

const mapping = {
  virtualHost: 'erp',
  virtualPort: '443',
  localHost: 'internal',
  localPort: '443',
  protocol: 'HTTPS',
  backendType: 'abapSys',
  creationDateMs: 1,
  resources: [],
}
const channel = { type: 'K8S', id: 7, k8sCluster: 'cp/orders', port: 5432 }
const one = { regionHost: 'region', subaccount: 'demo', systemMappings: [mapping], channels: [channel] }
const read = (subaccounts: readonly object[]) => administeredDocumentSchema.parse({ subaccounts })

describe('a problem of the connector', () => {
  it.each([
    [['connectors', 0, 'mappings', 0, 'resources', 3, 'path'], 'mapping erp:443: is wrong'],
    [['connectors', 0, 'channels', 0, 'k8sService'], 'service channel 7: is wrong'],
    [['connectors', 0, 'principalPropagation', 'rules', 2, 'subject'], 'subject rule 2: is wrong'],
    [['connectors', 0, 'systemCertificate', 'key'], 'system certificate: is wrong'],
    [['connectors', 0, 'services'], 'is wrong'],
    [['connectors', 9, 'mappings', 0], 'is wrong'],
    [[], 'is wrong'],
  ])('at %j is told as "%s"', (path, told) => {
    expect(explainProblem({ path, message: 'is wrong' }, read([one]))).toBe(told)
  })

  it('names the subaccount where there are several, and only for what belongs to one', () => {
    const document = read([one, { ...one, subaccount: 'other' }])
    expect(explainProblem({ path: ['connectors', 1, 'mappings', 0, 'virtual'], message: 'x' }, document)).toBe(
      'mapping erp:443 of other: x',
    )
    expect(explainProblem({ path: ['connectors', 1, 'systemCertificate'], message: 'x' }, document)).toBe('system certificate: x')
  })
})
