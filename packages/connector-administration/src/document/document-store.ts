import type { MaterialStore } from '@sallyport/cloud-connector'
import type { AdministeredDocument } from './administered-document.ts'
import { parseMaterial } from './parse-material.ts'
import { readDocument, writeDocument } from './stored-document.ts'

/** Where the document is kept between two starts. */
export interface DocumentStore {
  /** The stored document, or that of a fresh installation. @throws ConnectivityError `STORE_FAILED` for what is none, or of a newer version. */
  load(): Promise<AdministeredDocument>
  /** Replaces it as a whole or not at all, and has it on disk when it settles. */
  save(document: AdministeredDocument): Promise<void>
}

/** Name of the document among the sealed material. */
export const documentMaterialName = 'administration'

/** Keeps the document among the sealed material of the connector, for this version of the product. */
export function createDocumentStore(material: MaterialStore, version: string): DocumentStore {
  return {
    async load() {
      const text = await material.load(documentMaterialName)
      return readDocument(text === undefined ? {} : parseMaterial(text), version)
    },
    save: (document) => material.save(documentMaterialName, JSON.stringify(writeDocument(document, version))),
  }
}
