/**
 * Certificate files and key stores: reads PEM, DER, PKCS #12 and JKS into PEM, and writes PEM, PKCS #12 and JKS. Everything that a file decides about time and
 * memory is bounded first, so that files of strangers can be read.
 *
 * @example
 * const { entries } = await readKeystore({ name: 'client.p12', content: await readFile('client.p12'), password: 'secret' })
 * const client = entries.find((entry) => entry.privateKey !== undefined)
 * connect({ host, cert: client?.certificates.join(''), key: client?.privateKey })
 *
 * @packageDocumentation
 */
export { writeJks } from './jks-writer.ts'
export { type Keystore, type KeystoreEntry, type KeystoreFile, readKeystore } from './keystore.ts'
export { isPasswordRefused } from './keystore-errors.ts'
export { kindOfName, tryReadFormat } from './keystore-format.ts'
export { writePem } from './pem-writer.ts'
export { writePkcs12 } from './pkcs12-writer.ts'
export type { WrittenEntry } from './written-entry.ts'
