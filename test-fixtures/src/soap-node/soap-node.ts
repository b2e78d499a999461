import {
  abapDictionary,
  AbapFailure,
  type AbapFunction,
  abapFunctions,
  type AbapParameter,
  type AbapSession,
  type AbapUser,
  type AbapValues,
  type Dictionary,
  wireTypeOf,
} from '@sallyport/conformance/backends'
import type { DeepType } from '@sallyport/rfc-wire'
import { createHttpBackend, type HttpAnswer, type HttpBackend, type HttpBackendOptions, type SeenRequest } from '../http-backend.ts'
import { readElements, type SoapElement, toElementName } from './soap-element.ts'
import { formatFault } from './soap-fault-document.ts'
import { formatSoapValue, readSoapValue } from './soap-values.ts'
import { formatWsdl } from './wsdl-document.ts'

/** How a fixture node differs from one that does everything right. */
export interface SoapNodeOptions {
  readonly tls?: HttpBackendOptions['tls']
  /** The default is one: client 001, DEVELOPER, secret. */
  readonly users?: readonly AbapUser[]
  /** Who asks, where that is not told by user and password. */
  readonly userOf?: (request: SeenRequest) => string | undefined
  readonly functions?: readonly AbapFunction[]
  readonly dictionary?: Dictionary
  /** Functions that nobody may execute. */
  readonly forbidden?: readonly string[]
  /** Services that are not active. */
  readonly inactive?: readonly ('rfc' | 'wsdl')[]
  /** How replies are written: the name of their element, the prefix of the envelope, the order of parameters, the encoding. */
  readonly form?: {
    readonly name?: 'FM.Response' | 'FMResponse'
    readonly prefix?: string
    readonly reversed?: boolean
    readonly latin1?: boolean
  }
  /** Decides what is answered instead. */
  readonly script?: (request: SeenRequest) => HttpAnswer | undefined
}

/** A call that arrived. */
export interface SoapCall {
  readonly functionName: string
  readonly user: string
  readonly client: string
  readonly language: string
  /** Names of the parameters that were sent. */
  readonly sent: readonly string[]
  readonly inputs: AbapValues
}

/** The SOAP services of an ABAP system, on a loopback port. */
export interface SoapNode extends HttpBackend {
  readonly calls: readonly SoapCall[]
}

const functionsNamespace = 'urn:sap-com:document:sap:rfc:functions'

/**
 * Starts the services `/sap/bc/soap/rfc` and `/sap/bc/soap/wsdl` for tests (protocols.md 13.1 to 13.5), with the function modules of the fixture gateway. Every call is a
 * session of its own, and a table that is not in the request is not in the reply.
 *
 * @example
 * await using node = await createSoapNode()
 * // POST an envelope to `${node.url}/sap/bc/soap/rfc?sap-client=001`, then look at node.calls
 */
export async function createSoapNode(options: SoapNodeOptions = {}): Promise<SoapNode> {
  const dictionary = { ...abapDictionary, ...options.dictionary }
  const functions = new Map([...abapFunctions, ...(options.functions ?? [])].map((each) => [each.name, each]))
  const calls: SoapCall[] = []
  const backend: HttpBackend = await createHttpBackend({
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    async answer(request) {
      const scripted = options.script?.(request)
      if (scripted !== undefined) return scripted
      const url = new URL(request.target, backend.url)
      const service = /^\/sap\/bc\/soap\/(rfc|wsdl)(?:11)?$/.exec(url.pathname)?.[1]
      if (service === undefined) return page(404, 'Resource not found')
      if (options.inactive?.includes(service as 'rfc') === true) return page(403, 'Service inactive')
      const client = url.searchParams.get('sap-client') ?? '000'
      const user = options.userOf === undefined ? userOf(request, client, options.users) : options.userOf(request)
      if (user === undefined)
        return { ...page(401, 'Logon failed'), headers: { 'www-authenticate': 'Basic realm="SAP"', 'content-type': 'text/html' } }
      if (service === 'wsdl') return serveWsdl(url, functions, dictionary, backend.url)
      const session = {
        user,
        client,
        language: url.searchParams.get('sap-language') ?? 'EN',
        memory: new Map<string, unknown>(),
        reset() {},
      }
      return serveCall(request, session, { functions, dictionary, options, calls })
    },
  })
  return Object.assign(backend, { calls })
}

function userOf(
  { headers }: SeenRequest,
  client: string,
  users: readonly AbapUser[] = [{ client: '001', user: 'DEVELOPER', password: 'secret' }],
): string | undefined {
  const [user = '', ...password] = Buffer.from(/^Basic (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '', 'base64')
    .toString('utf8')
    .split(':')
  return users.find((each) => each.client === client && each.user === user.toUpperCase() && each.password === password.join(':'))?.user
}

function serveWsdl(url: URL, functions: ReadonlyMap<string, AbapFunction>, dictionary: Dictionary, base: string): HttpAnswer {
  const found = functions.get((url.searchParams.get('services') ?? '').toUpperCase())
  if (found === undefined) return page(404, 'Function module not found')
  url.searchParams.delete('services')
  return {
    headers: { 'content-type': 'text/xml; charset=utf-8' },
    body: formatWsdl(found, dictionary, `${base}/sap/bc/soap/rfc${url.search}`),
  }
}

interface Served {
  readonly functions: ReadonlyMap<string, AbapFunction>
  readonly dictionary: Dictionary
  readonly options: SoapNodeOptions
  readonly calls: SoapCall[]
}

async function serveCall(
  { body }: SeenRequest,
  session: AbapSession,
  { functions, dictionary, options, calls }: Served,
): Promise<HttpAnswer> {
  let operation: SoapElement | undefined
  try {
    operation = readElements(body).children.find(({ name }) => name === 'Body')?.children[0]
  } catch {
    // Answered below as what it is.
  }
  const functionName = (operation?.name ?? '').replaceAll('_-', '/')
  try {
    if (operation === undefined || operation.namespace !== functionsNamespace)
      throw new AbapFailure({ errorText: 'XML error in SOAP message' })
    const found = functions.get(functionName)
    if (found === undefined) throw new AbapFailure({ errorText: `Function module ${functionName} not found` })
    if (options.forbidden?.includes(functionName) === true) {
      throw new AbapFailure({ errorText: `User ${session.user} has no RFC authorization for function group (RFC_AUTHORIZATION_FAILURE)` })
    }
    const sent = operation.children.map(({ name }) => name.replaceAll('_-', '/'))
    const inputs = readInputs(found, operation, dictionary)
    calls.push({ functionName, user: session.user, client: session.client, language: session.language, sent, inputs })
    return reply(found, await found.run(inputs, session), sent, dictionary, options.form ?? {})
  } catch (error) {
    if (!(error instanceof AbapFailure)) throw error
    return { status: 500, headers: { 'content-type': 'text/xml; charset=utf-8' }, body: formatFault(functionName, error.envelope) }
  }
}

function readInputs(found: AbapFunction, operation: SoapElement, dictionary: Dictionary): AbapValues {
  for (const { namespace, name } of operation.children) {
    if (namespace !== '') throw new AbapFailure({ errorText: `XML error in SOAP message: ${name} has a namespace` })
  }
  const entries = found.parameters
    .filter(({ direction }) => direction !== 'export')
    .flatMap((parameter) => {
      const element = operation.children.find(({ name }) => name === toElementName(parameter.name))
      return element === undefined ? [] : [[parameter.name, readSoapValue(typeOf(parameter, dictionary), element)] as const]
    })
  return Object.fromEntries(entries)
}

function reply(
  found: AbapFunction,
  results: AbapValues,
  sent: readonly string[],
  dictionary: Dictionary,
  form: NonNullable<SoapNodeOptions['form']>,
): HttpAnswer {
  const { name = 'FM.Response', prefix = 'SOAP-ENV', reversed = false, latin1 = false } = form
  const outputs = found.parameters
    .filter(({ direction, name: output }) => direction !== 'import' && (direction !== 'tables' || sent.includes(output)))
    .map((parameter) => {
      const element = toElementName(parameter.name)
      return `<${element}>${formatSoapValue(typeOf(parameter, dictionary), results[parameter.name])}</${element}>`
    })
  const element = `rfc:${toElementName(found.name)}${name === 'FM.Response' ? '.' : ''}Response`
  const content = (reversed ? outputs.toReversed() : outputs).join('')
  const envelope = `<${prefix}:Envelope xmlns:${prefix}="http://schemas.xmlsoap.org/soap/envelope/"><${prefix}:Body><${element} xmlns:rfc="${functionsNamespace}">${content}</${element}></${prefix}:Body></${prefix}:Envelope>`
  const declared = `<?xml version="1.0" encoding="${latin1 ? 'iso-8859-1' : 'utf-8'}"?>${envelope}`
  return latin1
    ? { headers: { 'content-type': 'text/xml' }, body: Buffer.from(declared, 'latin1') }
    : { headers: { 'content-type': 'text/xml; charset=utf-8' }, body: declared }
}

function typeOf({ type, direction }: AbapParameter, dictionary: Dictionary): DeepType {
  const wireType = wireTypeOf(dictionary, type)
  return direction === 'tables' ? { kind: 'table', row: wireType } : wireType
}

function page(status: number, title: string): HttpAnswer {
  return {
    status,
    headers: { 'content-type': 'text/html' },
    body: `<html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>`,
  }
}
