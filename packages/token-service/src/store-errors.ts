import { ConnectivityError } from '@sallyport/core'

/** Runs a statement; whatever the database throws becomes `STORE_FAILED`, with the cause kept and no value in the text. */
export async function storing<T>(attempt: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (ConnectivityError.is(cause)) throw cause
    throw new ConnectivityError('STORE_FAILED', `${attempt} failed`, { cause })
  }
}
