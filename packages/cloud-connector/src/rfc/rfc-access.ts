import { functionDenialText, logonFunctions } from '@sallyport/rfc-wire'
import type { VirtualAddress } from '../access-control/access-decision.ts'
import type { FunctionResource } from '../access-control/function-list.ts'
import { explainLogonRefusal, type RfcMapping } from '../access-control/rfc-mapping.ts'
import type { SystemMapping } from '../access-control/system-mapping.ts'
import { eventTarget } from '../http/access-record.ts'
import { auditRefusal, shownText, systemText } from '../http/refusals.ts'
import { maxAdmittedShown } from '../limits.ts'
import type { LinkContext } from '../link-context.ts'
import type { Logon, RequestDecisions } from './client-requests.ts'
import type { RfcRefusal } from './verdict.ts'

/** A mapping of protocol RFC or RFCS. */
export type MappedRfc = SystemMapping & { readonly rfc: RfcMapping }

/** Decides about one conversation, by the configuration of the moment, and records each decision. */
export interface RfcAccess extends RequestDecisions {
  /** Records what does not keep the protocol, and words it for the client. */
  violation(reason: string): RfcRefusal
  /** Whether the backend may call functions of the application now. */
  allowCallbacks(): boolean
  /** What was let through last, by which entry of the mapping, and for whom. */
  readonly admitted: { readonly functionName: string; readonly by: FunctionResource | undefined; readonly user: string }
}

/** Says nothing about what the caller did not know before: neither users nor internal names. */
const mapped = 'Allow the client and the user in your Cloud Connector in case it was a valid request.'
const movedText = 'The system is exposed in another way by now: connect again.'

/**
 * Makes the decisions about a conversation with the backend of `connected`. What it records names functions, client and user: never a parameter, never a password.
 */
export function createRfcAccess(
  context: LinkContext,
  conversation: { readonly address: VirtualAddress; readonly correlationId: string; readonly connected: MappedRfc },
): RfcAccess {
  const { address, connected, correlationId } = conversation
  const system = connected.virtualText
  let mapping: MappedRfc | undefined = connected
  let client: string | undefined
  let user: string | undefined
  let admitted: RfcAccess['admitted'] = { functionName: '', by: undefined, user: '' }

  const writeEntry = (type: 'access-allowed' | 'access-denied', message: string): void => {
    const level = context.state().auditLevel
    if (level === 'OFF' || (level !== 'ALL' && type === 'access-allowed')) return
    context.audit.write({ type, subaccount: context.subaccount, user: shownText(user ?? ''), message, correlationId })
  }
  const subjectOf = (functionName: string | undefined): string => {
    const whose = client === undefined ? '' : ` (client ${shownText(client)})`
    return functionName === undefined ? `system ${system}${whose}` : `function ${functionName} on system ${system}${whose}`
  }
  const emit = (functionName: string | undefined, by: FunctionResource | undefined, reason: string | undefined): void => {
    if (!context.events.wanted) return
    context.events.emit({
      type: 'access-decided',
      ...eventTarget(context, { address, correlationId }),
      allowed: reason === undefined,
      path: functionName,
      internalAddress: connected.internalText,
      resource: by?.name,
      exactMatchOnly: by?.exactMatchOnly,
      reason: reason ?? 'admitted',
      admitted: connected.rfc.list.sample(maxAdmittedShown).map((entry) => `${entry.name} (${entry.exactMatchOnly ? 'exact' : 'prefix'})`),
    })
  }
  const deny = (functionName: string | undefined, reason: string, text: string): RfcRefusal => {
    emit(functionName, undefined, reason)
    writeEntry('access-denied', `Access denied to ${subjectOf(functionName)}: ${reason}`)
    return { text, reason }
  }
  const admit = (functionName: string, by: FunctionResource | undefined): undefined => {
    emit(functionName, by, undefined)
    admitted = { functionName, by, user: user ?? '' }
    writeEntry('access-allowed', `Access allowed to ${subjectOf(functionName)}`)
    return undefined
  }

  /** The mapping as it is configured now; a refusal when the conversation could not have been begun by it. */
  const currentMapping = (functionName: string): MappedRfc | RfcRefusal => {
    const found = context.state().table.find(address.host, address.port)
    if (found === mapping && mapping !== undefined) return mapping
    const text = `Access denied to system ${systemText(address)}. ${movedText}`
    if (found === undefined) return deny(functionName, 'no mapping for this virtual host and port any more', text)
    if (!isSameBackend(found, connected)) return deny(functionName, 'the mapping leads to another backend by now', text)
    const refused = explainLogonRefusal(found.rfc, { client, user })
    if (refused !== undefined) return deny(functionName, refused, logonText(client, system))
    mapping = found
    return found
  }
  const call = (functionName: string): RfcRefusal | undefined => {
    if (context.audit.failing) return { text: auditRefusal.text, reason: auditRefusal.code }
    const current = currentMapping(functionName)
    if ('text' in current) return current
    const verdict = current.rfc.list.decide(functionName)
    if (!verdict.allowed) return deny(functionName, verdict.reason, functionDenialText(functionName, address.host, portTextOf(system)))
    return admit(functionName, verdict.by === 'infrastructure' ? undefined : verdict.by)
  }

  return {
    call,
    get admitted() {
      return admitted
    },
    logon(logon: Logon) {
      ;({ client, user } = logon)
      if (context.audit.failing) return { text: auditRefusal.text, reason: auditRefusal.code }
      // Asked for whatever the mapping was when the connection was opened.
      mapping = undefined
      if (!logonFunctions.has(logon.functionName)) return call(logon.functionName)
      const current = currentMapping(logon.functionName)
      return 'text' in current ? current : admit(logon.functionName, undefined)
    },
    allowCallbacks() {
      const found = context.state().table.find(address.host, address.port)
      return found !== undefined && isSameBackend(found, connected) && found.rfc.allowCallbacks
    },
    violation(reason) {
      return deny(undefined, reason, `Access denied to system ${systemText(address)}: ${reason}`)
    },
  }
}

function isSameBackend(found: SystemMapping, connected: MappedRfc): found is MappedRfc {
  return (
    found.rfc !== undefined &&
    found.protocol === connected.protocol &&
    found.internalText === connected.internalText &&
    JSON.stringify([found.rfc.backend, found.rfc.route]) === JSON.stringify([connected.rfc.backend, connected.rfc.route])
  )
}

function logonText(client: string | undefined, system: string): string {
  const what = client !== undefined && /^[!-~]{1,3}$/.test(client) ? `client ${client}` : 'the logon'
  return `Access denied for ${what} on ${system}. ${mapped}`
}

function portTextOf(system: string): string {
  return system.slice(system.lastIndexOf(':') + 1)
}
