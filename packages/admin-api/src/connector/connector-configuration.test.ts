import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { checkConfiguration, formatProblemPath } from '../configuration-problem.ts'
import { connectorFileSchema } from './connector-configuration.ts'

const problems = (input: unknown): readonly string[] => {
  const result = checkConfiguration(connectorFileSchema, input)
  return 'problems' in result ? result.problems.map((problem) => `${formatProblemPath(problem.path)}: ${problem.message}`) : []
}

describe('connector configuration', () => {
  it('fills in what is not written', () => {
    const result = checkConfiguration(connectorFileSchema, { connectors: [{ mappings: [{ virtual: 'a:1', internal: 'tcp://b:1' }] }] })
    expect(result).toMatchObject({
      value: {
        connectors: [
          {
            locationId: '',
            mappings: [{ backendType: 'nonSAPsys', hostInHeader: 'VIRTUAL', resources: [] }],
            principalPropagation: { validityMinutes: 60, expirationToleranceHours: 2 },
            backendTrust: { authorities: [], trustAll: false, verifyHostName: true },
            audit: { level: 'SECURITY', retentionDays: 0 },
            trust: { automatic: false },
          },
        ],
      },
    })
  })

  it('reports every problem at once, unknown keys with a suggestion', () => {
    expect(
      problems({
        connectors: [
          { locationID: 'x', mappings: [{ virtual: 'a:1', internal: 'http://b', resource: [], hostInHeader: 'both' }] },
          { systemCertificate: { certficate: { file: 'x' }, key: { file: 'y' } }, principalPropagation: { validityMinutes: 0 } },
        ],
      }),
    ).toEqual([
      expect.stringMatching(/^connectors\[0\]\.mappings\[0\]\.hostInHeader: /),
      'connectors[0].mappings[0].resource: unknown key "resource"; did you mean "resources"?',
      'connectors[0].locationID: unknown key "locationID"; did you mean "locationId"?',
      expect.stringMatching(/^connectors\[1\]\.principalPropagation\.validityMinutes: /),
      expect.stringMatching(/^connectors\[1\]\.systemCertificate\.certificate: /),
      'connectors[1].systemCertificate.certficate: unknown key "certficate"; did you mean "certificate"?',
    ])
  })

  it('becomes a JSON schema for editors', () => {
    const json = JSON.stringify(z.toJSONSchema(connectorFileSchema, { io: 'input' }))
    expect(json).toContain('"virtual"')
    expect(json).toContain('Name the cloud uses')
  })
})
