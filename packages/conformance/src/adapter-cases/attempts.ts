import { type Address, ConnectivityError, type Credentials, type DialOptions, type Principal, type ProtocolClient } from '@sallyport/core'
import type { FarEnd } from '../far-side.ts'
import { reasonOf, within } from '../probe.ts'
import { createRecordingLogger } from '../recording-logger.ts'
import type { AdapterContext, Demand } from './adapter-case.ts'

/** Nobody in particular. */
export const none: Credentials = { kind: 'none' }
/** Somebody who presents nothing. */
export const anyone: Demand = { credentials: none, principal: undefined }

/** A backend that listens, says nothing and leaves with the client. */
export function stay({ stream }: FarEnd): void {
  stream.on('end', () => stream.end())
  stream.resume()
}

/** Where the backend has the first word. */
export function greet({ parts }: AdapterContext, { stream }: FarEnd): void {
  if (parts.greeting !== undefined) stream.write(parts.greeting)
}

/** What an attempt to connect differs in from the usual one. */
interface Attempt {
  readonly credentials?: Credentials
  readonly principal?: Principal
  readonly dialled?: DialOptions[]
  readonly dialFails?: ConnectivityError
  readonly log?: ReturnType<typeof createRecordingLogger>['logger']
  readonly workSignal?: AbortSignal
}

/** Begins a healthy backend. */
export function serve({ far, parts }: AdapterContext, demand: Demand = anyone): Promise<Address> {
  return far.serve((end) => parts.serve(end, demand))
}

/** Connects the adapter; it may put dialling off. */
export async function connect(
  { far, parts, signal }: AdapterContext,
  address: Address,
  attempt: Attempt = {},
): Promise<{ client: ProtocolClient }> {
  const connecting = parts.create(far).connect(parts.destination(address), {
    dial(target, options) {
      attempt.dialled?.push(options)
      return attempt.dialFails === undefined ? far.dial(target, options) : Promise.reject(attempt.dialFails)
    },
    credentials: attempt.credentials ?? none,
    ...(attempt.principal === undefined ? {} : { principal: attempt.principal }),
    signal,
    log: attempt.log ?? createRecordingLogger().logger,
  })
  return { client: await within(connecting, signal, 'the connect') }
}

/** The error of connecting or, when that succeeds, of working. Adapters may dial at either. */
export async function failureOf(context: AdapterContext, address: Address, attempt: Attempt): Promise<unknown> {
  let client: ProtocolClient
  try {
    client = (await connect(context, address, attempt)).client
  } catch (error) {
    return error
  }
  const work = context.parts.work(client, attempt.workSignal ?? context.signal)
  const error = await within(reasonOf(work), context.signal, 'the failing work')
  await client[Symbol.asyncDispose]()
  return error
}

/** The code of an error of ours, or the error. */
export function codeOf(error: unknown): unknown {
  return ConnectivityError.is(error) ? error.code : error
}
