import { type ConnectivityError, type Logger, type RfcDestination, withDeadline } from '@sallyport/core'
import type { FunctionDescription } from '../function-description.ts'
import type { FunctionRepository } from '../function-repository.ts'
import { repositoryTimeoutMs } from '../limits.ts'
import type { RfcConnection, RfcConnectionCall } from '../rfc-binding.ts'
import { rfcError } from '../rfc-errors.ts'
import type { RfcStructure } from '../rfc-value.ts'
import { formatEnvelope } from './envelope.ts'
import { bodyOf, isReplyTo, readReply } from './reply.ts'
import type { SoapCarrier } from './soap-carrier.ts'
import { exchangeSoap, type SoapAnswer } from './soap-exchange.ts'
import { faultError, isFault } from './soap-fault.ts'
import { statusError } from './status-error.ts'
import { readWsdl } from './wsdl.ts'
import { XmlError, type XmlParserClass } from './xml-tree.ts'

/** A system that descriptions come from. */
export interface SoapMetadata {
  readonly carrier: SoapCarrier
  readonly destination: RfcDestination
}

/** What all connections of a client share. */
export interface SoapConnectionDeps {
  readonly destination: RfcDestination
  readonly carrier: SoapCarrier
  readonly metadata: (signal: AbortSignal) => Promise<SoapMetadata>
  readonly repository: FunctionRepository
  /** Whether the system has said that it serves no WSDL. */
  readonly undescribed: { isKnown: boolean }
  readonly Parser: XmlParserClass
  readonly nodes: SoapNodes
  readonly log: Logger
}

/** Where the system listens, and what it is told there. */
export interface SoapNodes {
  readonly callPath: string
  readonly wsdlPath: string
  readonly soapAction: string
}

/** The service for WSDL is not active, or not exposed. */
class Undescribed extends Error {}

/** Calls over HTTP: each is a logon and a session of its own, so that there is nothing to open, to reset or to close. */
export function createSoapConnection(deps: SoapConnectionDeps): RfcConnection {
  const { destination, carrier, Parser, nodes, repository, undescribed, log } = deps
  const name = `destination "${destination.name}"`

  /** @throws Undescribed for a system that serves no WSDL. */
  async function lookUp(functionName: string, attempt: string, signal: AbortSignal): Promise<FunctionDescription> {
    const { carrier: source, destination: described } = await deps.metadata(signal)
    const path = pathOf(nodes.wsdlPath, described, { services: functionName })
    const headers = { accept: 'text/xml', ...ticketOf(described) }
    const answer = await exchangeSoap({ carrier: source, Parser, attempt, method: 'GET', path, headers, signal })
    // What a proxy or a connector refuses says nothing about the system.
    if (answer.isOfTheWay) throw statusError(attempt, answer, nodes.wsdlPath)
    if (answer.status === 403) throw new Undescribed()
    const notFound = (text: string): ConnectivityError => rfcError('FUNCTION_NOT_FOUND', attempt, { text, requestSent: false })
    if (answer.status === 404 || answer.status === 500) {
      throw notFound(
        `HTTP status ${answer.status} for its WSDL at ${nodes.wsdlPath}; is there such a function module, and may it be called remotely?`,
      )
    }
    if (answer.status !== 200 || answer.document === undefined) throw statusError(attempt, answer, nodes.wsdlPath)
    try {
      const description = readWsdl(answer.document, functionName)
      if (description === undefined) throw notFound('the WSDL does not declare it')
      return description
    } catch (error) {
      if (!(error instanceof XmlError)) throw error
      throw rfcError('COMMUNICATION', attempt, {
        text: `its WSDL cannot be read, ${error.message}`,
        code: 'PROTOCOL_VIOLATION',
        requestSent: false,
      })
    }
  }

  async function describe(functionName: string, signal: AbortSignal): Promise<FunctionDescription | undefined> {
    if (undescribed.isKnown) return undefined
    const attempt = `look up ${functionName} at ${name}`
    try {
      return await repository.describe(functionName, () => lookUp(functionName, attempt, withDeadline(repositoryTimeoutMs, signal)))
    } catch (error) {
      if (!(error instanceof Undescribed)) throw error
      undescribed.isKnown = true
      log.warn({ destination: destination.name }, 'the system serves no WSDL (403), values of SOAP calls are text')
      return undefined
    }
  }

  async function call(
    functionName: string,
    parameters: RfcStructure,
    { signal, notRequested, tables = [] }: RfcConnectionCall,
  ): Promise<RfcStructure> {
    const attempt = `call ${functionName} at ${name}`
    const description = await describe(functionName, signal)
    const body = converted(attempt, false, () => formatEnvelope({ functionName, parameters, description, tables, notRequested }))
    const headers = { 'content-type': 'text/xml; charset=utf-8', soapaction: nodes.soapAction, ...ticketOf(destination) }
    const path = pathOf(nodes.callPath, destination, {})
    const answer = await exchangeSoap({ carrier, Parser, attempt, method: 'POST', path, headers, body, signal })
    return readAnswer(answer, functionName, attempt, (reply) => readReply(reply, { functionName, description, notRequested }))
  }

  function readAnswer(
    answer: SoapAnswer,
    functionName: string,
    attempt: string,
    read: (reply: NonNullable<ReturnType<typeof bodyOf>>) => RfcStructure,
  ): RfcStructure {
    const content = answer.document === undefined ? undefined : bodyOf(answer.document)
    if (content === undefined || (answer.status !== 200 && answer.status !== 500)) throw statusError(attempt, answer, nodes.callPath)
    if (isFault(content)) throw faultError(attempt, content)
    if (answer.status !== 200) throw statusError(attempt, answer, nodes.callPath)
    if (!isReplyTo(content, functionName)) {
      throw rfcError('COMMUNICATION', attempt, { text: 'the answer is one to another call', code: 'PROTOCOL_VIOLATION', requestSent: true })
    }
    return converted(attempt, true, () => read(content))
  }

  return {
    isAlive: true,
    call,
    async describe(functionName, signal) {
      const description = await describe(functionName, signal)
      if (description !== undefined) return description
      throw rfcError('COMMUNICATION', `describe ${functionName} at ${name}`, {
        text: `is the service ${nodes.wsdlPath} active (SICF)?`,
        code: 'ACCESS_DENIED',
        requestSent: false,
      })
    },
    async ping(signal) {
      await ping(deps, name, signal)
    },
    async reset() {},
    async close() {},
  }
}

/** RFC_PING has no parameters, so that nothing has to be looked up for it. */
async function ping({ carrier, Parser, nodes, destination }: SoapConnectionDeps, name: string, signal: AbortSignal): Promise<void> {
  const attempt = `ping of ${name}`
  const none = { functionName: 'RFC_PING', parameters: {}, description: undefined, tables: [], notRequested: [] }
  const headers = { 'content-type': 'text/xml; charset=utf-8', soapaction: nodes.soapAction, ...ticketOf(destination) }
  const path = pathOf(nodes.callPath, destination, {})
  const answer = await exchangeSoap({ carrier, Parser, attempt, method: 'POST', path, headers, body: formatEnvelope(none), signal })
  const content = answer.document === undefined ? undefined : bodyOf(answer.document)
  // Whatever the function module says, the system says something.
  if (content === undefined) throw statusError(attempt, answer, nodes.callPath)
}

/** Conversions throw what is wrong with a value; the connection is as good as before. */
function converted<T>(attempt: string, requestSent: boolean, convert: () => T): T {
  try {
    return convert()
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw rfcError('CONVERSION', attempt, {
      text: error.message,
      requestSent,
      ...(requestSent ? { code: 'PROTOCOL_VIOLATION' as const } : {}),
    })
  }
}

function pathOf(path: string, { logon }: RfcDestination, more: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams(more)
  if (logon.client !== undefined) query.set('sap-client', logon.client)
  if (logon.language !== undefined) query.set('sap-language', logon.language)
  return `${path}?${query.toString()}`
}

function ticketOf({ logon }: RfcDestination): Readonly<Record<string, string>> {
  return logon.ticket === undefined ? {} : { cookie: `MYSAPSSO2=${logon.ticket.reveal()}` }
}
