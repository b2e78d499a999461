import { invalidRequest } from './rest-error.ts'

/** The parts of a `multipart/form-data` body (RFC 7578). */
export interface UploadForm {
  /** A part as text. @throws RestError 400 when it is missing. */
  text(name: string): string
  /** A part as text, or nothing. */
  optionalText(name: string): string | undefined
  /** A part as bytes, whether it was sent as a file or as a field. @throws RestError 400 when it is missing. */
  file(name: string): Buffer
  /** All parts of this name, in their order. */
  files(name: string): readonly Buffer[]
}

/** Reads a body that has been received as a whole. @throws RestError 400 for what is no form. */
export async function readUploadForm(body: Buffer, contentType: string): Promise<UploadForm> {
  const parts: { readonly name: string; readonly content: Buffer }[] = []
  try {
    const form = await new Response(new Uint8Array(body), { headers: { 'content-type': contentType } }).formData()
    for (const [name, value] of form) {
      parts.push({ name, content: typeof value === 'string' ? Buffer.from(value) : Buffer.from(await value.arrayBuffer()) })
    }
  } catch {
    throw invalidRequest('the body is not multipart/form-data as its Content-Type says')
  }
  const files = (name: string): readonly Buffer[] => parts.filter((part) => part.name === name).map(({ content }) => content)
  const file = (name: string): Buffer => {
    const [first] = files(name)
    if (first === undefined || first.length === 0) throw invalidRequest(`the part "${name}" is missing`)
    return first
  }
  return {
    file,
    files,
    text: (name) => file(name).toString('utf8'),
    optionalText: (name) => files(name)[0]?.toString('utf8'),
  }
}
