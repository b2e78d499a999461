import { ConnectivityError } from '@sallyport/core'

/** A library that an adapter speaks its protocol with. Applications install it beside the adapter, in the release they want. */
export interface PeerLibrary {
  /** As the registry calls it. */
  readonly name: string
  /** The package of ours that needs it. */
  readonly beside: string
  readonly attempt: string
}

/**
 * Loads the library of an adapter with its first use: who has forgotten to install it is told so by an attempt to connect, and not by
 * an import that fails.
 *
 * @param load - Imports it. Written where the library is used, so that it is looked for there.
 * @throws ConnectivityError `CONFIGURATION_INVALID` where it is not installed or breaks while it is loaded.
 */
export async function loadLibrary<Library>({ name, beside, attempt }: PeerLibrary, load: () => Promise<Library>): Promise<Library> {
  try {
    return await load()
  } catch (cause) {
    const { code } = (cause ?? {}) as { code?: unknown }
    const why = typeof code === 'string' ? ` (${code})` : ''
    const message = `${attempt}: the package ${name} cannot be loaded${why}; install it beside ${beside}: npm install ${name}`
    throw new ConnectivityError('CONFIGURATION_INVALID', message, { cause })
  }
}
