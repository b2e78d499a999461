import { ConnectivityError } from '@sallyport/core'
import type { Dispatcher } from 'undici'
import { requestError } from './http-errors.ts'

/**
 * Makes the standard `Response` of an answer: nothing decompressed, no redirect followed, repeated headers kept. The body
 * streams; an error in the middle of it is ours, and giving it up closes the connection.
 */
export async function toResponse(
  answer: Dispatcher.ResponseData,
  method: string,
  attempt: string,
  signal: AbortSignal | undefined,
): Promise<Response> {
  // Somebody who does not read the body need not listen to it either.
  answer.body.on('error', () => {})
  const headers = new Headers()
  try {
    for (const [name, value] of Object.entries(answer.headers)) {
      for (const single of Array.isArray(value) ? value : [value ?? '']) headers.append(name, single)
    }
  } catch {
    // The platform's own message quotes the value.
    answer.body.destroy()
    throw new ConnectivityError('PROTOCOL_VIOLATION', `${attempt}: the answer has a header that cannot be one`)
  }
  const bodiless = method === 'HEAD' || answer.statusCode === 204 || answer.statusCode === 205 || answer.statusCode === 304
  if (bodiless) {
    answer.body.resume()
    await connectionIsFree()
  }
  return new Response(bodiless ? null : translated(answer.body, attempt, signal), {
    status: answer.statusCode,
    statusText: /^[\t\x20-\x7e]*$/.test(answer.statusText) ? answer.statusText : '',
    headers,
  })
}

function translated(body: Dispatcher.ResponseData['body'], attempt: string, signal: AbortSignal | undefined): AsyncIterable<Uint8Array> {
  const inner = body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>
  const iterator: AsyncIterator<Uint8Array> = {
    async next() {
      try {
        const part = await inner.next()
        if (part.done === true) await connectionIsFree()
        return part
      } catch (error) {
        throw requestError(attempt, error, signal)
      }
    },
    // Not left to the inner iterator: one that has not begun would not even look at the body.
    async return() {
      body.destroy()
      return { done: true, value: undefined }
    },
  }
  return { [Symbol.asyncIterator]: () => iterator }
}

/** undici takes a connection back one turn after the end of an answer; who asks again at once would open another one. */
function connectionIsFree(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
