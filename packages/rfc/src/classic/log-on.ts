import { randomBytes } from 'node:crypto'
import { formatLogonRequest, isRefused, parseChain, readLogonAnswer } from '@sallyport/rfc-wire'
import { logonError, violationError } from './classic-errors.ts'
import type { ClassicLogon } from './classic-logon.ts'
import type { ClientIdentity, RfcConversation } from './conversation.ts'

/** What a server is told about the client besides the user. */
export interface LogonSetting extends ClientIdentity {
  /** Name of the destination. */
  readonly destination: string
}

/** The release that the captured clients named; servers take their form of it. */
export const clientRelease = '754'

/** Steps 8 and 9: logs on with user and password. @throws ConnectivityError of the group LOGON when the system refuses. */
export async function logOn(
  conversation: RfcConversation,
  logon: ClassicLogon,
  { destination, hostName, program }: LogonSetting,
  attempt: string,
  signal: AbortSignal,
): Promise<void> {
  const password = logon.password.reveal()
  const chain = formatLogonRequest({
    client: logon.client,
    user: logon.user,
    password,
    language: logon.language,
    // The system sees the address that the connection comes from; what is told here is not believed.
    clientAddress: '127.0.0.1',
    hostName,
    program,
    release: clientRelease,
    destination: /^[\x21-\x7e]{1,32}$/.test(destination) ? destination : program,
    sessionId: randomBytes(16),
    passwordSeed: randomBytes(4).readUInt32BE(),
  })
  const reply = await conversation.request(chain, { attempt, signal, isCall: false })
  const fields = parseChain(reply.data)
  const answer = isRefused(fields) ? fields : readLogonAnswer(fields, 'utf16le')
  if (isRefused(answer)) throw violationError(attempt, answer.refused, false)
  if (!answer.accepted) throw logonError(attempt, answer.error, password)
}
