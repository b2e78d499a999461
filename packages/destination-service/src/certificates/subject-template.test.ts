import { describe, expect, it } from 'vitest'
import { defaultSubjectTemplate, parseSubjectTemplate } from './subject-template.ts'

const facts = { cn: 'svc', subaccountId: 's1', id: 'id1', landscape: 'eu' }

describe('the template of subjects', () => {
  it('puts values in where their names stand', () => {
    expect(parseSubjectTemplate(defaultSubjectTemplate)(facts)).toEqual([
      { type: 'CN', value: 'svc' },
      { type: 'L', value: 'eu/s1' },
      { type: 'OU', value: 'id1' },
      { type: 'OU', value: 'Destination Certificates' },
      { type: 'O', value: 'Sallyport' },
    ])
  })

  it('lets no value add an attribute, or be replaced itself', () => {
    const cn = 'x,O=Somebody Else+CN=${subaccountId}'
    expect(parseSubjectTemplate('CN=${cn},O=Us')({ ...facts, cn })).toEqual([
      { type: 'CN', value: cn },
      { type: 'O', value: 'Us' },
    ])
  })

  it.each(['CN=${name}', 'O=without', 'CN=${cn},X=unknown', '', 'CN=${cn},', 'CN=${cn},O=${__proto__}'])('refuses "%s"', (template) => {
    expect(() => parseSubjectTemplate(template)).toThrow(expect.objectContaining({ code: 'CONFIGURATION_INVALID' }))
  })
})
