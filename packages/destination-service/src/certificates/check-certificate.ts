import type { EntityVerdict } from '../entities/collection.ts'
import { maxCertificateNameLength } from '../limits.ts'

const extensions: readonly string[] = ['pem', 'crt', 'cer', 'der', 'p12', 'pfx', 'jks']
const fileName = new RegExp(`^[^\\p{Cc}\\p{Zl}\\p{Zp}/\\\\]{1,${maxCertificateNameLength}}$`, 'u')

/** Checks a certificate or key store that came from outside: `Name` with an extension that says what it is, and `Content`, the Base64 of the file. */
export function checkCertificate(value: unknown): EntityVerdict {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { valid: false, name: '', problem: 'A certificate must be a JSON object' }
  }
  const { Name: name, Type: type = 'CERTIFICATE', Content: content } = value as Record<string, unknown>
  if (typeof name !== 'string' || !name.isWellFormed() || !fileName.test(name)) {
    return { valid: false, name: '', problem: `Property "Name" must be a file name of 1 to ${maxCertificateNameLength} characters` }
  }
  const refuse = (problem: string): EntityVerdict => ({ valid: false, name, problem })
  const extension = /\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase() ?? ''
  if (!extensions.includes(extension))
    return refuse(`Property "Name" must end with one of ${extensions.map((known) => `.${known}`).join(', ')}`)
  if (type !== 'CERTIFICATE') return refuse('Property "Type" must be CERTIFICATE')
  if (typeof content !== 'string' || !isBase64(content)) return refuse('Property "Content" must be the file in Base64')
  return { valid: true, write: { name, properties: { Name: name, Type: type, Content: content }, sharedWithSubscriber: isShared(value) } }
}

function isBase64(text: string): boolean {
  return text !== '' && text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text)
}

function isShared(value: object): boolean {
  const { $metadata: metadata } = value as { readonly $metadata?: { readonly shared_with_subscriber?: unknown } | null }
  return metadata?.shared_with_subscriber === true
}
