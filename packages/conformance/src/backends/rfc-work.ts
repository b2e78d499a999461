import { ConnectivityError, type ProtocolClient } from '@sallyport/core'

/** As much of a client of RFC as the adapter suite takes. */
export interface RfcAsks extends ProtocolClient {
  call(
    name: string,
    parameters: Readonly<Record<string, string>>,
    options: { readonly signal: AbortSignal },
  ): Promise<Readonly<Record<string, unknown>>>
}

const text = 'what the suite asks for'

/** Has the function module that every system has for it send a text back. */
export async function askForEcho(client: RfcAsks, signal: AbortSignal): Promise<void> {
  const { ECHOTEXT } = await client.call('STFC_CONNECTION', { REQUTEXT: text }, { signal })
  if (ECHOTEXT !== text) throw new ConnectivityError('PROTOCOL_VIOLATION', 'this is no answer to the question')
}
