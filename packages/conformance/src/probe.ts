import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { inspect } from 'node:util'
import { expect, failCase } from './expect.ts'

/** Reads until the other side ends; rejects when the stream breaks or the signal fires. */
export function readToEnd(stream: Duplex, signal: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  return askedLater(ended(stream, signal).then(() => Buffer.concat(chunks)))
}

/** A case that fails before it asks for this must not end the process: nobody listens to the rejection then. */
function askedLater<T>(work: Promise<T>): Promise<T> {
  work.catch(() => {})
  return work
}

/** Reads at least `count` bytes and pauses again. */
export async function readBytes(stream: Duplex, count: number, signal: AbortSignal): Promise<Buffer> {
  let received = Buffer.alloc(0)
  while (received.length < count) {
    const chunk = stream.read() as Buffer | null
    if (chunk !== null) {
      received = Buffer.concat([received, chunk])
      continue
    }
    if (stream.readableEnded) throw new Error(`the stream ended after ${received.length} of ${count} bytes`)
    await Promise.race([once(stream, 'readable', { signal }), ended(stream, signal)])
  }
  return received
}

/** Settles when the other side has ended; rejects when the stream closes without that. */
export function ended(stream: Duplex, signal: AbortSignal): Promise<void> {
  const end = new Promise<void>((resolve, reject) => {
    const settle = (error?: Error): void => {
      stream.off('end', onEnd)
      stream.off('close', onClose)
      stream.off('error', settle)
      signal.removeEventListener('abort', onAbort)
      if (error === undefined) resolve()
      else reject(error)
    }
    const onEnd = (): void => settle()
    const onClose = (): void => settle(new Error('the stream closed before its end'))
    const onAbort = (): void => settle(new Error('the suite waited too long for the end of the stream'))
    if (stream.readableEnded) {
      resolve()
      return
    }
    stream.once('end', onEnd)
    stream.once('close', onClose)
    stream.once('error', settle)
    signal.addEventListener('abort', onAbort, { once: true })
  })
  return askedLater(end)
}

/** Settles with `value` or, when the suite has waited too long, fails and says for what. */
export async function within<T>(work: PromiseLike<T>, signal: AbortSignal, what: string): Promise<T> {
  const late = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error(`the suite waited too long: ${what}`)), { once: true })
  })
  return Promise.race([work, late])
}

/** Fails when anything that a log or a crash report could print of `error` holds one of the secrets. */
export function expectNoSecrets(error: unknown, secrets: readonly string[]): void {
  const shown = [inspect(error, { depth: 12, showHidden: true }), String(error), JSON.stringify(error), (error as Error).stack].join('\n')
  for (const secret of secrets) {
    expect(secret.length, 'a secret of the subject is too short to look for').toBeGreaterThan(5)
    expect(shown.includes(secret), 'a secret is visible in the error').toBe(false)
    expect(shown.includes(Buffer.from(secret).toString('base64').replace(/=+$/, '').slice(0, -1)), 'a secret is visible in Base64').toBe(
      false,
    )
  }
}

/** The reason why `work` rejected; fails when it did not. */
export function reasonOf(work: Promise<unknown>): Promise<unknown> {
  return askedLater(
    work.then(
      () => failCase('expected a rejection'),
      (error: unknown) => error,
    ),
  )
}
