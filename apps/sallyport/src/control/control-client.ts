import { request as httpRequest } from 'node:http'
import { ConnectivityError, type ErrorCode, errorTable } from '@sallyport/core'
import type { DataFolder } from '../stack/data-folder.ts'
import { readControlRecords, type ControlRecord } from './control-record.ts'

const timeoutMs = 10_000
const maxAnswerBytes = 8_388_608

/** Asks a running process of this installation. @throws ConnectivityError with the code that the process gives. */
export async function askControl<Answer>(
  record: ControlRecord,
  name: string,
  argument: Readonly<Record<string, unknown>> = {},
): Promise<Answer> {
  let answer: { readonly status: number; readonly body: { readonly code?: string; readonly message?: string } }
  try {
    answer = await post(`${record.url}/${name}`, record.secret, JSON.stringify(argument))
  } catch (cause) {
    throw new ConnectivityError('PEER_UNREACHABLE', `the process "${record.name}" (pid ${record.pid}) does not answer`, { cause })
  }
  const { status, body } = answer
  if (status === 200) return body as Answer
  const code: ErrorCode = body.code !== undefined && Object.hasOwn(errorTable, body.code) ? (body.code as ErrorCode) : 'SERVICE_UNAVAILABLE'
  throw new ConnectivityError(code, body.message ?? `the process "${record.name}" answered ${status}`)
}

/** An agent of its own and not `fetch`: those of the process go through the proxy of the environment when it says so, and would show it the secret. */
function post(url: string, secret: string, text: string): Promise<{ readonly status: number; readonly body: Record<string, string> }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, {
      method: 'POST',
      agent: false,
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
      signal: AbortSignal.timeout(timeoutMs),
    })
    request.on('error', reject)
    request.on('response', (response) => {
      const chunks: Buffer[] = []
      let size = 0
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > maxAnswerBytes) response.destroy(new Error('the answer is too long'))
        else chunks.push(chunk)
      })
      response.on('error', reject)
      response.on('end', () => {
        try {
          resolve({ status: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, string> })
        } catch (error) {
          reject(error)
        }
      })
    })
    request.end(text)
  })
}

/** The running process that serves `part`: the local stack, or the process of that role. */
export async function findRunning(folder: DataFolder, part?: string): Promise<ControlRecord | undefined> {
  const records = await readControlRecords(folder)
  return (
    records.find((record) => record.name === 'dev') ?? records.find((record) => part === undefined || record.name.split('+').includes(part))
  )
}

/** As {@link findRunning}. @throws ConnectivityError `SERVICE_UNAVAILABLE` that says what runs instead, and how to start what is missing. */
export async function requireRunning(folder: DataFolder, part?: string): Promise<ControlRecord> {
  const record = await findRunning(folder, part)
  if (record !== undefined) return record
  const others = (await readControlRecords(folder)).flatMap(({ name }) => name.split('+'))
  if (others.length === 0 || part === undefined)
    throw new ConnectivityError('SERVICE_UNAVAILABLE', `nothing is running with the data in ${folder.path}`, {
      details: { next: 'start the local stack with: sallyport dev --detach --wait 30s, or the part itself with: sallyport serve' },
    })
  throw new ConnectivityError(
    'SERVICE_UNAVAILABLE',
    `this is for the role ${part}, and with the data in ${folder.path} runs ${others.join(', ')} only`,
    {
      details: {
        next: `call it where ${part} runs, with the data folder of that process (--data <folder>); or start it: sallyport serve ${part}`,
      },
    },
  )
}
