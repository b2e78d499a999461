import type { Readable } from 'node:stream'

/**
 * Reads so many bytes from the beginning of a stream and leaves what follows inside it. Bounded by `bytes`; the caller
 * bounds the time by destroying the stream. @throws what the stream fails with, or an `Error` with code `UNEXPECTED_END`.
 */
export function readExactly(stream: Readable, bytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      stream.off('readable', onReadable)
      stream.off('end', onEnd)
      stream.off('close', onEnd)
      stream.off('error', onError)
      act()
    }
    const onReadable = (): void => {
      const chunk = stream.read(bytes) as Buffer | null
      // At the end of the stream `read` hands out less than was asked for.
      if (chunk !== null) settle(() => (chunk.length === bytes ? resolve(chunk) : reject(unexpectedEnd())))
    }
    const onEnd = (): void => settle(() => reject(unexpectedEnd()))
    const onError = (error: Error): void => settle(() => reject(error))
    stream.on('end', onEnd)
    stream.on('close', onEnd)
    stream.on('error', onError)
    stream.on('readable', onReadable)
    onReadable()
  })
}

function unexpectedEnd(): Error {
  return Object.assign(new Error('the connection ended early'), { code: 'UNEXPECTED_END' })
}
