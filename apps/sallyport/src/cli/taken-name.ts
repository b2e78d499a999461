import { ConnectivityError } from '@sallyport/core'

/** Adds something under a name. Where that is taken, the error says which commands show and change what has it. */
export async function addNew<Added>(adding: Promise<Added>, next: string): Promise<Added> {
  try {
    return await adding
  } catch (error) {
    if (!ConnectivityError.is(error) || error.details['isTaken'] !== true) throw error
    throw new ConnectivityError(error.code, error.message, { cause: error, details: { next } })
  }
}
