import { readProperties } from '@sallyport/admin-api'
import { kindOfName } from '@sallyport/keystore'
import type { EntityVerdict, WriteTarget } from '../entities/collection.ts'
import { malformed } from '../http/answer.ts'
import type { ServiceContext } from '../http/service-request.ts'
import { maxCertificateFileBytes, maxCertificateNameLength, maxGeneratedPerRequest } from '../limits.ts'
import { decodeBase64 } from './base64.ts'
import { checkAttributes } from './certificate-attributes.ts'
import { generatedForm } from './generated-certificate.ts'
import { checkUpload } from './uploaded-certificate.ts'

/** Reads one certificate of a request: with `Content` a file to be kept as it is, with `Attributes` one to be generated, which takes seconds. */
export async function checkCertificate(
  value: unknown,
  { level, request }: WriteTarget,
  { certificates }: ServiceContext,
): Promise<EntityVerdict> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { valid: false, name: '', problem: 'A certificate must be a JSON object' }
  }
  const { Name: name, Type: type = 'CERTIFICATE', Content: content, Attributes: attributes, ...others } = value as Record<string, unknown>
  if (!isFileName(name)) {
    return {
      valid: false,
      name: '',
      problem: `Property "Name" must be a file name of 1 to ${maxCertificateNameLength} printable characters`,
    }
  }
  const refuse = (problem: string): EntityVerdict => ({ valid: false, name, problem })
  if (kindOfName(name) === undefined) return refuse('Property "Name" must end in .pem, .crt, .cer, .der, .p12, .pfx or .jks')
  const metadata = readProperties(others)
  if (!metadata.valid) return refuse(metadata.problem)
  const [stranger] = Object.keys(metadata.properties)
  if (stranger !== undefined)
    return refuse(`Property ${JSON.stringify(stranger.slice(0, 80))} is none of Name, Type, Content and Attributes`)
  const { sharedWithSubscriber } = metadata
  if (type !== 'CERTIFICATE') return refuse('Property "Type" must be CERTIFICATE')
  const keep = (file: Buffer, hidden: Readonly<Record<string, string>>): EntityVerdict => ({
    valid: true,
    write: { name, properties: { Name: name, Type: type, Content: file.toString('base64') }, hidden, sharedWithSubscriber },
  })

  if (attributes === undefined) {
    const file = typeof content === 'string' ? decodeBase64(content) : undefined
    if (file === undefined || file.length === 0) return refuse('Property "Content" must be the Base64 encoded content of the file')
    if (file.length > maxCertificateFileBytes) return refuse(`The content must not be larger than ${maxCertificateFileBytes} bytes`)
    const upload = await checkUpload(name, file)
    return upload.valid ? keep(file, upload.hidden) : refuse(upload.problem)
  }
  if (content !== undefined) return refuse('A certificate has either Content, to be uploaded, or Attributes, to be generated')
  refuseMany(request.body)
  const verdict = checkAttributes(attributes, { fileName: name })
  if (!verdict.valid) return refuse(verdict.problem)
  const form = generatedForm(name)
  if (form === undefined) return refuse('A certificate can be generated as pem, crt, cer, p12, pfx and jks')
  if (verdict.attributes.csr !== undefined && form !== 'pem')
    return refuse('A certificate from a CSR has no private key, so its name must end in .pem')
  const generated = await certificates.generate({ name, subaccountId: level.subaccountId, attributes: verdict.attributes })
  return keep(generated.content, generated.hidden)
}

const printable = /^[^\p{Cc}\p{Zl}\p{Zp}/\\]+$/u

/** Printable, and without a path. */
function isFileName(name: unknown): name is string {
  return typeof name === 'string' && name.length <= maxCertificateNameLength && name.isWellFormed() && printable.test(name)
}

/** Each takes seconds of a core. */
function refuseMany(body: unknown): void {
  if (!Array.isArray(body)) return
  const generated = body.filter((item: unknown) => typeof item === 'object' && item !== null && 'Attributes' in item)
  if (generated.length > maxGeneratedPerRequest) throw malformed(`One request can generate ${maxGeneratedPerRequest} certificates at most`)
}
