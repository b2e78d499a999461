import { acceptConnectors } from '@sallyport/cloud-connector'
import { describe, expect, it } from 'vitest'
import { type AdministeredDocument, administeredDocumentSchema } from './administered-document.ts'
import { renderConnectors } from './administered-source.ts'
import { checkDocument, rememberChecked } from './check-document.ts'

const systemMappings = ['one', 'two', 'three'].map((virtualHost) => ({
  virtualHost,
  virtualPort: '80',
  localHost: 'internal',
  localPort: '8000',
  protocol: 'HTTP',
  backendType: 'nonSAPsys',
  creationDateMs: 1,
  resources: [{ id: '/', enabled: true, creationDateMs: 1 }],
}))
const stored = (): AdministeredDocument =>
  rememberChecked(administeredDocumentSchema.parse({ subaccounts: [{ regionHost: 'region', subaccount: 'demo', systemMappings }] }))
const mappingsOf = (document: AdministeredDocument) => document.subaccounts[0]?.systemMappings ?? []
const decidingWith = (document: AdministeredDocument) => acceptConnectors(renderConnectors(document), 'test').connectors[0]?.mappings ?? []

/** The same with another second mapping. */
function changed(document: AdministeredDocument, change: object): AdministeredDocument {
  const edited = mappingsOf(document).map((mapping, at) => (at === 1 ? { ...mapping, ...change } : mapping))
  return { ...document, subaccounts: document.subaccounts.map((entry) => ({ ...entry, systemMappings: edited })) }
}

describe('a document of which a little has changed', () => {
  it('keeps every mapping that has not, from the check to what the connector decides with', () => {
    const before = stored()
    const after = checkDocument(changed(before, { localHost: 'elsewhere' }))
    const isSame = (of: (document: AdministeredDocument) => readonly unknown[]) =>
      of(after).map((mapping, at) => mapping === of(before)[at])
    expect(isSame(mappingsOf)).toEqual([true, false, true])
    expect(isSame(decidingWith)).toEqual([true, false, true])
    expect(decidingWith(after).map(({ internalHost }) => internalHost)).toEqual(['internal', 'elsewhere', 'internal'])
    // Once checked, the changed one is kept as well.
    expect(mappingsOf(checkDocument(after)).map((mapping, at) => mapping === mappingsOf(after)[at])).toEqual([true, true, true])
  })

  it('is checked where it has changed, and says where', () => {
    expect(() => checkDocument(changed(stored(), { virtualPort: '' }))).toThrow('mapping two:.virtualPort: ')
    expect(() => checkDocument(changed(stored(), { surprise: true }))).toThrow('mapping two:80')
  })
})
