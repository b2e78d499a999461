import { checkBody } from '../rest/check-body.ts'
import { type AdministeredDocument, administeredDocumentSchema } from './administered-document.ts'
import { type AdministeredMapping, administeredMappingSchema } from './administered-mapping.ts'
import { virtualNameOf } from './edit-mapping.ts'

/** Mappings that have come out of the check. They never change, so that of a hundred thousand resources a change looks at a few. */
const checkedMappings = new WeakSet<AdministeredMapping>()

/**
 * Checks a document against its schema. Mappings that were checked before, as the same objects, are kept as they are, so that whoever follows sees by
 * identity what has changed.
 *
 * @throws RestError 400 that names the first problem.
 */
export function checkDocument(document: AdministeredDocument): AdministeredDocument {
  const withoutMappings = { ...document, subaccounts: document.subaccounts.map((entry) => ({ ...entry, systemMappings: [] })) }
  const read = checkBody(administeredDocumentSchema, withoutMappings)
  return {
    ...read,
    subaccounts: read.subaccounts.map((entry, at) => ({
      ...entry,
      systemMappings: document.subaccounts[at]?.systemMappings.map((mapping) => checkMapping(mapping)) ?? [],
    })),
  }
}

/** Takes note of a document that has passed the whole schema, as after it was loaded. */
export function rememberChecked(document: AdministeredDocument): AdministeredDocument {
  for (const { systemMappings } of document.subaccounts) for (const mapping of systemMappings) checkedMappings.add(mapping)
  return document
}

function checkMapping(mapping: AdministeredMapping): AdministeredMapping {
  if (checkedMappings.has(mapping)) return mapping
  const read = checkBody(administeredMappingSchema, mapping, `mapping ${virtualNameOf(mapping)}`)
  checkedMappings.add(read)
  return read
}
