import { ConnectivityError, type ErrorCode, errorTable } from '@sallyport/core'
import type { DataFolder } from '../stack/data-folder.ts'
import { readControlRecords, type ControlRecord } from './control-record.ts'

const timeoutMs = 10_000

/** Asks a running process of this installation. @throws ConnectivityError with the code that the process gives. */
export async function askControl<Answer>(
  record: ControlRecord,
  name: string,
  argument: Readonly<Record<string, unknown>> = {},
): Promise<Answer> {
  let response: Response
  try {
    response = await fetch(`${record.url}/${name}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${record.secret}`, 'content-type': 'application/json' },
      body: JSON.stringify(argument),
      signal: AbortSignal.timeout(timeoutMs),
    })
  } catch (cause) {
    throw new ConnectivityError('PEER_UNREACHABLE', `the process "${record.name}" (pid ${record.pid}) does not answer`, { cause })
  }
  const body = (await response.json()) as { code?: string; message?: string }
  if (response.ok) return body as Answer
  const code: ErrorCode = body.code !== undefined && body.code in errorTable ? (body.code as ErrorCode) : 'SERVICE_UNAVAILABLE'
  throw new ConnectivityError(code, body.message ?? `the process "${record.name}" answered ${response.status}`)
}

/** The running process that serves `part`: the local stack, or the process of that role. */
export async function findRunning(folder: DataFolder, part?: string): Promise<ControlRecord | undefined> {
  const records = await readControlRecords(folder)
  return (
    records.find((record) => record.name === 'dev') ?? records.find((record) => part === undefined || record.name.split('+').includes(part))
  )
}

/** As {@link findRunning}. @throws ConnectivityError `SERVICE_UNAVAILABLE` that says how to start it. */
export async function requireRunning(folder: DataFolder, part?: string): Promise<ControlRecord> {
  const record = await findRunning(folder, part)
  if (record !== undefined) return record
  throw new ConnectivityError('SERVICE_UNAVAILABLE', `nothing is running with the data in ${folder.path}`, {
    details: { next: 'start the local stack with: sallyport dev --detach --wait 30s, or the part itself with: sallyport serve' },
  })
}
