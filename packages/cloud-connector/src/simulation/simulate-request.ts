import { ConnectivityError } from '@sallyport/core'
import { parseRequestHead } from '@sallyport/http-head'
import { functionDenialText } from '@sallyport/rfc-wire'
import { type AccessDecision, decideHttpAccess, decideTcpAccess, type VirtualAddress } from '../access-control/access-decision.ts'
import type { FunctionList } from '../access-control/function-list.ts'
import { explainLogonRefusal } from '../access-control/rfc-mapping.ts'
import { isHttpMapping, isRfcMapping, type SystemMapping } from '../access-control/system-mapping.ts'
import type { ConnectorState } from '../connector-state.ts'
import { createExchange, type Exchange } from '../http/exchange.ts'
import { explainNoTicket } from '../http/prepare-principal.ts'
import { unnamed } from '../principal/principal-handling.ts'
import { principalUseOf } from '../http/principal-use.ts'
import {
  certificateRefusal,
  functionRefusal,
  messageRefusal,
  mutualRefusal,
  type Refusal,
  resourceRefusal,
  systemRefusal,
  tokenRefusal,
} from '../http/refusals.ts'
import { explainRequest } from '../http/request-transformation.ts'
import { soapPath } from '../http/soap-function.ts'
import { maxAdmittedShown, requestHeadLimits } from '../limits.ts'
import type { RequestSimulation, SimulatedPrincipal, SimulatedRequest, SimulatedResource } from './simulated-request.ts'

/**
 * Decides a request as the data path does, by its very functions; nothing is sent, counted or issued.
 *
 * @throws ConnectivityError `MESSAGE_INVALID` for a port that is neither a number nor the name that a mapping has.
 */
export async function simulateRequest(state: ConnectorState, request: SimulatedRequest): Promise<RequestSimulation> {
  const address: VirtualAddress = { host: request.host.toLowerCase(), port: portOf(state, request) }
  const found = state.table.find(address.host, address.port)
  const speaksHttp = found === undefined ? request.path !== undefined : isHttpMapping(found)
  return speaksHttp || request.path !== undefined
    ? await simulateHttp(state, address, request)
    : simulateConnection(state, address, request)
}

function portOf({ table }: ConnectorState, { host, port }: SimulatedRequest): number {
  const text = String(port)
  if (/^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535) return Number(text)
  const named = table.mappings.find(({ virtualText }) => virtualText.toLowerCase() === `${host}:${text}`.toLowerCase())
  if (named !== undefined) return named.virtualPortLow
  throw new ConnectivityError('MESSAGE_INVALID', `"${text.slice(0, 40)}" is neither a port nor the name of the port of a mapping`)
}

async function simulateHttp(state: ConnectorState, address: VirtualAddress, request: SimulatedRequest): Promise<RequestSimulation> {
  const exchange = exchangeOf(state, address, request)
  if ('text' in exchange) return refuse(exchange, exchange.text, {})
  const invalid = explainRequest(exchange.head)
  if (invalid !== undefined) return refuse(messageRefusal({ status: 400, reason: invalid }), invalid, {})
  const decision = decideHttpAccess(state.table, address, exchange.path, exchange.upgradeAsked)
  const { mapping } = decision
  if (!decision.allowed) {
    const refusal = decision.kind === 'system' ? systemRefusal(address) : resourceRefusal(exchange.path, address)
    return refuse(refusal, decision.reason, {
      mapping,
      admitted: mapping?.index.enabled.slice(0, maxAdmittedShown).map(({ exactMatchOnly, path }) => ({ id: path, exactMatchOnly })),
    })
  }
  const { resource } = decision
  const shown = { mapping, resource: resource && { id: resource.path, exactMatchOnly: resource.exactMatchOnly } }
  const called = decideSoap(decision.mapping, exchange, address, request.functionName)
  if (called !== undefined && 'text' in called) return refuse(called, called.text, shown)
  const principal = await simulatePrincipal(state, decision.mapping, request)
  const refusal = principalRefusal(principal, address)
  if (refusal !== undefined) return { ...refuse(refusal, refusal.text, shown), principal }
  const uncarried = carriageRefusal(state, principal, address)
  if (uncarried !== undefined) {
    return { ...refuse(uncarried, 'principals cannot be propagated without a system certificate', shown), principal }
  }
  return { ...allow(called?.note ?? 'a resource admits the path', shown), principal }
}

/** The request as it is read from the wire. What cannot be written there is refused as it would be. */
function exchangeOf(state: ConnectorState, address: VirtualAddress, request: SimulatedRequest): Exchange | Refusal {
  const { method = 'GET', path = '/', principal = null, upgrade } = request
  const asked = upgrade === undefined ? '' : `Connection: Upgrade\r\nUpgrade: ${upgrade}\r\n`
  if (/[\r\n]/.test(`${method}${path}${upgrade ?? ''}`))
    return messageRefusal({ status: 400, reason: 'a line break is no part of a request line' })
  const raw = Buffer.from(`${method} ${path} HTTP/1.1\r\nHost: ${address.host}:${address.port}\r\n${asked}\r\n`, 'utf8')
  const read = parseRequestHead(raw, 0, requestHeadLimits)
  if (read.state === 'refused') return messageRefusal(read.refusal)
  if (read.state === 'incomplete') return messageRefusal({ status: 400, reason: 'the request has no end' })
  return createExchange({ address, head: read.head, raw, principal, correlationId: '', startMs: 0, state })
}

/** Where a mapping looks at the functions that SOAP requests call. */
function decideSoap(
  mapping: SystemMapping,
  { path }: Exchange,
  address: VirtualAddress,
  functionName: string | undefined,
): Refusal | { readonly note: string } | undefined {
  if (mapping.soapFunctions === undefined || path !== soapPath) return undefined
  if (functionName === undefined) return { note: 'a resource admits the path; which function the body calls is decided then' }
  const decided = mapping.soapFunctions.decide(functionName)
  return decided.allowed
    ? { note: `a resource admits the path, and the mapping the function ${functionName}` }
    : functionRefusal(functionName, '', address)
}

async function simulatePrincipal(
  state: ConnectorState,
  { principalType }: SystemMapping,
  { principal }: SimulatedRequest,
): Promise<SimulatedPrincipal> {
  const use = principalUseOf(principalType, principal !== undefined)
  if (use === 'certificate' && principal !== undefined) return { use, preview: await state.principals.preview(principal) }
  if (use === 'ticket' && principal !== undefined) {
    const verdict = await state.principals.validate(principal)
    if (verdict.kind === 'not-trusted') return { use, ...verdict }
    const { name } = verdict
    return { use, kind: 'trusted', user: name ?? unnamed, problem: explainNoTicket(state, name) ?? state.kerberos?.problem }
  }
  return { use: use === 'empty-header' ? use : 'nothing' }
}

function principalRefusal(principal: SimulatedPrincipal, address: VirtualAddress): Refusal | undefined {
  if (principal.use === 'ticket') {
    if (principal.kind === 'not-trusted') return tokenRefusal(principal.message)
    return principal.problem === undefined ? undefined : certificateRefusal(principal.user, principal.problem, address)
  }
  if (principal.use !== 'certificate') return undefined
  const { preview } = principal
  if (preview.kind === 'not-trusted') return tokenRefusal(preview.message)
  return preview.certificate.issuable ? undefined : certificateRefusal(preview.user, preview.certificate.problem, address)
}

/**
 * A certificate travels only where both sides prove who they are. Whether the backend asks for the system certificate shows on the connection alone, but
 * without one no backend can.
 */
function carriageRefusal({ tls }: ConnectorState, principal: SimulatedPrincipal, address: VirtualAddress): Refusal | undefined {
  if (principal.use !== 'certificate' || principal.preview.kind === 'not-trusted' || tls.systemKey !== undefined) return undefined
  return mutualRefusal(principal.preview.user, address)
}

/** TCP, LDAP and RFC. */
function simulateConnection(state: ConnectorState, address: VirtualAddress, request: SimulatedRequest): RequestSimulation {
  const decision: AccessDecision = decideTcpAccess(state.table, address)
  const { mapping } = decision
  if (!decision.allowed) return refuse({ ...systemRefusal(address), status: undefined }, decision.reason, { mapping })
  if (!isRfcMapping(decision.mapping) || decision.mapping.protocol === 'RFCS') return allow('the mapping alone grants it', { mapping })
  const { rfc, virtualText } = decision.mapping
  const { client, functionName, user } = request
  const logon = explainLogonRefusal(rfc, { client, user })
  const denied = (text: string, reason: string): RequestSimulation =>
    refuse({ status: undefined, text }, reason, { mapping, admitted: functionsOf(rfc.list) })
  if (logon !== undefined) return denied(systemRefusal(address).text, logon)
  if (functionName === undefined) return allow('the connection is granted; which function is called is decided then', { mapping })
  const verdict = rfc.list.decide(functionName)
  if (!verdict.allowed)
    return denied(functionDenialText(functionName, address.host, virtualText.slice(virtualText.lastIndexOf(':') + 1)), verdict.reason)
  if (verdict.by === 'infrastructure') return allow('every client calls this function by itself, and it needs no entry', { mapping })
  return allow('a function of the mapping admits it', {
    mapping,
    resource: { id: verdict.by.name, exactMatchOnly: verdict.by.exactMatchOnly },
  })
}

function functionsOf(list: FunctionList): readonly SimulatedResource[] {
  return list.sample(maxAdmittedShown).map(({ exactMatchOnly, name }) => ({ id: name, exactMatchOnly }))
}

interface Shown {
  readonly mapping?: SystemMapping | undefined
  readonly resource?: SimulatedResource | undefined
  readonly admitted?: readonly SimulatedResource[] | undefined
}

function allow(reason: string, shown: Shown): RequestSimulation {
  return { allowed: true, reason, refusal: undefined, principal: undefined, ...show(shown) }
}

function refuse(
  { status, text }: { readonly status: number | undefined; readonly text: string },
  reason: string,
  shown: Shown,
): RequestSimulation {
  return { allowed: false, reason, refusal: { status, text }, principal: undefined, ...show(shown) }
}

function show({ admitted = [], mapping, resource }: Shown): Pick<RequestSimulation, 'admitted' | 'mapping' | 'resource'> {
  return {
    admitted,
    resource,
    mapping: mapping && {
      virtual: mapping.virtualText,
      internal: mapping.internalText,
      protocol: mapping.protocol,
      principalType: mapping.principalType,
    },
  }
}
