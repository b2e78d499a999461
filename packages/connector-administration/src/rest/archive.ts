import type { z } from 'zod'
import { readZip, writeZip } from '../backup/zip-file.ts'
import { checkBody } from './check-body.ts'
import { invalidRequest } from './rest-error.ts'
import type { Answer } from './route.ts'
import type { UploadForm } from './upload-form.ts'

/** Answers with a ZIP archive of one JSON file. */
export function answerArchive(name: string, file: string, content: unknown, nowMs: number): Answer {
  return {
    status: 200,
    body: writeZip({ [file]: JSON.stringify(content, undefined, 2) }, nowMs),
    type: 'application/zip',
    headers: { 'content-disposition': `attachment;filename="${name}.zip"` },
  }
}

/** Reads the JSON file of an uploaded archive, which is the part `archive` of the form. @throws RestError 400 */
export function readArchive<Content>(form: UploadForm, file: string, schema: z.ZodType<Content>): Content {
  const text = readZip(form.file('archive')).get(file)?.toString('utf8')
  if (text === undefined) throw invalidRequest(`the archive holds no ${file}`)
  return checkBody(schema, parseJson(text, file), file)
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw invalidRequest(`${file} in the archive is not JSON`)
  }
}
