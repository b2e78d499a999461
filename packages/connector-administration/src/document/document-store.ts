import type { MaterialStore } from '@sallyport/cloud-connector'
import { ConnectivityError } from '@sallyport/core'
import { type AdministeredDocument, administeredDocumentSchema } from './administered-document.ts'
import { parseMaterial } from './parse-material.ts'

/** Where the document is kept between two starts. */
export interface DocumentStore {
  /** The stored document, or that of a fresh installation. @throws ConnectivityError `STORE_FAILED` for what is none. */
  load(): Promise<AdministeredDocument>
  /** Replaces it as a whole or not at all, and has it on disk when it settles. */
  save(document: AdministeredDocument): Promise<void>
}

/** Name of the document among the sealed material. */
export const documentMaterialName = 'administration'

/** Keeps the document among the sealed material of the connector. */
export function createDocumentStore(material: MaterialStore): DocumentStore {
  return {
    async load() {
      const text = await material.load(documentMaterialName)
      const read = administeredDocumentSchema.safeParse(text === undefined ? {} : parseMaterial(text))
      if (read.success) return read.data
      const [issue] = read.error.issues
      throw new ConnectivityError(
        'STORE_FAILED',
        `the stored configuration of the connector cannot be used: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}; restore a backup`,
      )
    },
    save: (document) => material.save(documentMaterialName, JSON.stringify(document)),
  }
}
