import type { Duplex } from 'node:stream'
import { abortedError } from '@sallyport/core'
import { hungUpError } from './dial-errors.ts'

/** How the end of a message is found, and where patience ends. */
export interface MessageShape {
  /** Length of the message at the start of `bytes`, or `undefined` while that cannot be told. */
  measure(bytes: Buffer): number | undefined
  readonly maxBytes: number
  /** Thrown when `maxBytes` are there and the message is not complete. */
  tooLong(): Error
}

/**
 * Reads one message and not a byte more: what arrived behind it stays in the stream for the next reader, however late that
 * one comes. The stream is never set flowing.
 */
export function readMessage(stream: Duplex, shape: MessageShape, signal: AbortSignal, attempt: string): Promise<Buffer> {
  let bytes: Buffer = Buffer.alloc(0)
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      stream.off('readable', onReadable)
      stream.off('end', onClose)
      stream.off('close', onClose)
      stream.off('error', onError)
      signal.removeEventListener('abort', onAbort)
      finish()
    }
    const onReadable = (): void => {
      for (;;) {
        const chunk = stream.read() as Buffer | null
        if (chunk === null) return
        bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk])
        const length = shape.measure(bytes)
        if (length !== undefined && length <= bytes.length) {
          // At once: Node emits `end` in the next tick when the buffer is found empty then.
          if (bytes.length > length) stream.unshift(bytes.subarray(length))
          settle(() => resolve(bytes.subarray(0, length)))
          return
        }
        if (bytes.length >= shape.maxBytes) {
          settle(() => reject(shape.tooLong()))
          return
        }
      }
    }
    const onClose = (): void => settle(() => reject(hungUpError(attempt)))
    const onError = (error: Error): void => settle(() => reject(hungUpError(attempt, error)))
    const onAbort = (): void => settle(() => reject(abortedError(signal, attempt)))
    if (signal.aborted) {
      reject(abortedError(signal, attempt))
      return
    }
    if (stream.destroyed || stream.readableEnded) {
      reject(hungUpError(attempt, stream.errored))
      return
    }
    stream.on('readable', onReadable)
    stream.once('end', onClose)
    stream.once('close', onClose)
    stream.once('error', onError)
    signal.addEventListener('abort', onAbort, { once: true })
    onReadable()
  })
}
