import type { Duplex } from 'node:stream'
import { abortedError, type Clock, type Dial, type Logger, type MailDestination, type MailLogon, withDeadline } from '@sallyport/core'
import { secureStream, type TlsOptions } from '@sallyport/stream'
import { type Capabilities, parseCapabilities } from './capabilities.ts'
import { createDialogue, type Dialogue } from './dialogue.ts'
import { answerTimeoutMs, connectTimeoutMs, maxCapabilitiesBytes } from './limits.ts'
import { logOn } from './log-on.ts'
import { greetingTimestamp } from './mechanism.ts'
import { noTlsError, refusedError } from './pop3-errors.ts'
import { createTrace } from './trace.ts'

/** A connection whose user is logged on. The mailbox is locked for others until it ends. */
export interface Session {
  readonly dialogue: Dialogue
  /** Empty when the server does not know CAPA. */
  readonly capabilities: Capabilities
}

/** What all sessions of a client have in common. */
export interface SessionDeps {
  readonly destination: MailDestination
  readonly dial: Dial
  readonly tls: TlsOptions
  readonly clock: Clock
  readonly log: Logger
}

/** Dials, secures and logs on, in one deadline. On failure nothing stays open. @throws ConnectivityError. */
export async function openSession(deps: SessionDeps, logon: MailLogon, parent: AbortSignal): Promise<Session> {
  const { destination, dial, clock } = deps
  const attempt = `connect to destination "${destination.name}"`
  const signal = withDeadline(destination.connectTimeoutMs ?? connectTimeoutMs, parent)
  const stream = await dial(destination.address, { signal, locationId: destination.locationId })
  const dialogue = createDialogue(destination.tls === 'implicit' ? await secure(deps, stream, signal, attempt) : stream, {
    name: destination.name,
    attempt,
    clock,
    timeoutMs: destination.timeoutMs ?? answerTimeoutMs,
    trace: createTrace(deps, logon),
  })
  const onAbort = (): void => dialogue.fail(abortedError(signal, attempt))
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  try {
    return { dialogue, capabilities: await begin(deps, dialogue, logon, { signal, attempt }) }
  } catch (error) {
    await dialogue.close()
    throw error
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

async function begin(
  deps: SessionDeps,
  dialogue: Dialogue,
  logon: MailLogon,
  { signal, attempt }: { readonly signal: AbortSignal; readonly attempt: string },
): Promise<Capabilities> {
  const { tls, name, proxyType, mechanisms } = deps.destination
  const greeting = await dialogue.readStatus()
  if (!greeting.ok) throw refusedError({ attempt, status: greeting, otherwise: 'SERVICE_UNAVAILABLE' })
  let capabilities = await askCapabilities(dialogue)
  let secured = tls === 'implicit'
  if (tls === 'startTls' || tls === 'startTlsIfOffered') {
    secured = await startTls(deps, dialogue, capabilities, { signal, attempt })
    if (secured) capabilities = await askCapabilities(dialogue)
  }
  const utf8 = capabilities?.get('UTF8')
  // RFC 6856 §2: before the logon, or never. A server that refuses after all serves what it has without it.
  const accepted = utf8 !== undefined && (await command(dialogue, 'UTF8'))
  if (logon.kind === 'none') return capabilities ?? new Map()
  if (!secured && proxyType === 'Internet')
    deps.log.warn({ destination: name }, 'password or token go over the network in the clear, use pop3s or mail.pop3.starttls.required')
  dialogue.attempt = `log on to destination "${name}"`
  await logOn(dialogue, logon, {
    attempt: dialogue.attempt,
    greeting: greeting.text,
    capabilities,
    timestamp: greetingTimestamp(greeting.text),
    mechanisms,
    utf8User: accepted && utf8.some((parameter) => parameter.toUpperCase() === 'USER'),
  })
  return (await askCapabilities(dialogue)) ?? new Map()
}

/** `undefined` when the server does not know the command. */
async function askCapabilities(dialogue: Dialogue): Promise<Capabilities | undefined> {
  return (await command(dialogue, 'CAPA')) ? parseCapabilities(await dialogue.readLines(maxCapabilitiesBytes)) : undefined
}

async function command(dialogue: Dialogue, line: string): Promise<boolean> {
  dialogue.send(line)
  return (await dialogue.readStatus()).ok
}

/** Whether the connection is secured now. */
async function startTls(
  deps: SessionDeps,
  dialogue: Dialogue,
  capabilities: Capabilities | undefined,
  { signal, attempt }: { readonly signal: AbortSignal; readonly attempt: string },
): Promise<boolean> {
  const { destination, log } = deps
  if (capabilities?.has('STLS') !== true) {
    if (destination.tls === 'startTls') throw noTlsError(attempt)
    return false
  }
  dialogue.send('STLS')
  const status = await dialogue.readStatus()
  if (!status.ok) {
    if (destination.tls === 'startTls') throw refusedError({ attempt: `${attempt} with STLS`, status, otherwise: 'BACKEND_UNTRUSTED' })
    return false
  }
  // RFC 2595 §4: what came in plain behind the agreement is from somebody in between, and must not count as said under TLS.
  const discarded = await dialogue.upgrade((stream) => secure(deps, stream, signal, attempt))
  if (discarded > 0) log.warn({ destination: destination.name, bytes: discarded }, 'plaintext behind the answer to STLS was thrown away')
  return true
}

async function secure({ destination, tls }: SessionDeps, stream: Duplex, signal: AbortSignal, attempt: string): Promise<Duplex> {
  const { address, tlsRules } = destination
  const secured = await secureStream(stream, { host: address.host, tls, rules: tlsRules, signal, attempt })
  secured.once('close', () => stream.destroy())
  return secured
}
