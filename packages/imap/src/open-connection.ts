import type { Duplex } from 'node:stream'
import {
  abortedError,
  type Clock,
  type ConnectivityError,
  type Dial,
  type Logger,
  type MailDestination,
  type MailLogon,
  underSignal,
  withDeadline,
} from '@sallyport/core'
import { connectionError, secureStream, type TlsOptions, type TlsTerms } from '@sallyport/stream'
import type { ImapFlow } from 'imapflow'
import { expectGreeting } from './expect-greeting.ts'
import { imapError } from './imap-errors.ts'
import { type ImapFlowClass, leadLibrary } from './library-way.ts'
import { answerTimeoutMs, connectTimeoutMs, goodbyeMs } from './limits.ts'
import { logonOptions, secretOf } from './logon-options.ts'
import { createTrace } from './trace.ts'

/** A client of the library that is logged on. It is used once: what has ended is replaced by another. */
export interface ImapConnection {
  readonly flow: ImapFlow
  /** Why the connection has ended; `undefined` while it lives, and when it was ended in order. */
  readonly failure: ConnectivityError | undefined
  /** When the token with which it logged on expires. */
  readonly expiresAtMs: number | undefined
  /** Ends the connection at once. The first error stays. */
  fail(error: ConnectivityError): void
  /** Says goodbye and ends the connection; settles when it is closed. */
  close(): Promise<void>
}

/** What all connections of a client have in common. */
export interface ConnectionDeps {
  readonly destination: MailDestination
  readonly dial: Dial
  readonly tls: TlsOptions
  readonly library: ImapFlowClass
  readonly clock: Clock
  readonly log: Logger
}

/** Dials, secures and logs on, in one deadline. On failure nothing stays open. @throws ConnectivityError. */
export async function openConnection(deps: ConnectionDeps, logon: MailLogon, parent: AbortSignal): Promise<ImapConnection> {
  const { destination, dial, tls, library, clock, log } = deps
  const { name, address, locationId } = destination
  const attempt = `connect to destination "${name}"`
  const secrets = logon.kind === 'none' ? [] : [secretOf(logon)]
  const auth = logonOptions(destination, logon)
  const signal = withDeadline(destination.connectTimeoutMs ?? connectTimeoutMs, parent)
  const terms: TlsTerms = { host: address.host, tls, rules: destination.tlsRules }
  const secured = destination.tls === 'implicit'
  const stream = await secure(await dial(address, { signal, locationId }), secured, terms, signal, attempt)
  await expectGreeting(stream, signal, attempt)
  const closed = new Promise<void>((resolve) => void stream.once('close', () => resolve()))
  let failure: ConnectivityError | undefined
  stream.on('error', (error: unknown) => (failure ??= connectionError(attempt, error)))

  let flow: ImapFlow | undefined
  const end = (): void => {
    flow?.close()
    stream.destroy()
  }
  const fail = (error: ConnectivityError): void => {
    failure ??= error
    end()
  }
  const onAbort = (): void => fail(abortedError(signal, attempt))
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    const client = new library({
      host: address.host,
      port: address.port,
      servername: tls.servername ?? address.host,
      ...(await leadLibrary(library, { stream, secured, address, terms, clock, signal, attempt })),
      doSTARTTLS: destination.tls === 'startTls' ? true : destination.tls === 'startTlsIfOffered' ? undefined : false,
      ...auth,
      logger: createTrace(destination, log, secrets),
      connectionTimeout: destination.connectTimeoutMs ?? connectTimeoutMs,
      greetingTimeout: destination.timeoutMs ?? connectTimeoutMs,
      socketTimeout: destination.timeoutMs ?? answerTimeoutMs,
    })
    flow = client
    // Who waits for an answer hears of it too; without a listener it would end the process.
    client.on('error', (error: unknown) => {
      const known = imapError(error, { attempt, failure, secrets })
      failure ??= connectionError(attempt, known)
    })
    await underSignal(client.connect(), signal, attempt)
    if (logon.kind !== 'none' && destination.proxyType === 'Internet' && !secured && !client.secureConnection)
      log.warn({ destination: name }, 'password or token go over the network in the clear, use imap4s or mail.imap4.starttls.required')
    return {
      flow: client,
      get failure() {
        return failure
      },
      expiresAtMs: logon.kind === 'token' ? logon.expiresAtMs : undefined,
      fail,
      async close() {
        if (client.usable) await goodbye(client, clock)
        end()
        await closed
      },
    }
  } catch (error) {
    end()
    await closed
    if (signal.aborted) throw abortedError(signal, attempt)
    throw imapError(error, { attempt, failure, secrets, loggingOn: true })
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** In TLS from the first byte, where the destination says so. STARTTLS is the library's. */
async function secure(stream: Duplex, secured: boolean, terms: TlsTerms, signal: AbortSignal, attempt: string): Promise<Duplex> {
  if (!secured) return stream
  const socket = await secureStream(stream, { ...terms, signal, attempt })
  socket.once('close', () => stream.destroy())
  return socket
}

async function goodbye(flow: ImapFlow, clock: Clock): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>()
  const cancel = clock.after(goodbyeMs, resolve)
  // A server that has gone already needs no goodbye.
  await Promise.race([flow.logout().catch(() => {}), late])
  cancel()
}
