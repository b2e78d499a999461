import {
  acceptedGatewayConnect,
  acknowledgementRecord,
  allocateReply,
  appcFunctions,
  type AppcRecord,
  type Conversation,
  deallocatedNormally,
  formatAppcRecord,
  formatGatewayConnect,
  gatewayRequestTypes,
  initializeReply,
  parseAppcRecord,
  parseChain,
  parseGatewayConnect,
  parseInitializeParameters,
  parsePartnerParameters,
  readRequestData,
  replyRecords,
} from '@sallyport/rfc-wire'
import { createApplicationServer } from './application-server.ts'
import { keptEntries } from './gateway-seen.ts'
import { type GatewayMoment, playScript } from './scripted-answer.ts'
import { must, type ServedConnection } from './served-connection.ts'

/** Takes a client through its conversation; settles when that is over. Rejects when the client does what no client may do. */
export async function serveConversation(served: ServedConnection): Promise<void> {
  const { ni, connection, seen } = served
  const take = async (): Promise<Buffer | undefined> => {
    const payload = await ni.take()
    if (payload !== undefined && seen.messages.length < keptEntries) seen.messages.push({ connection, payload })
    return payload
  }

  const first = await take()
  if (first === undefined) return
  const connect = must(parseGatewayConnect(first))
  seen.connects.push(connect)
  const accepted = connect.requestType === gatewayRequestTypes.normalClient
  const greeting = acceptedGatewayConnect(connect)
  const answer = formatGatewayConnect(accepted ? greeting : { ...greeting, returnCode: notSupported })
  if (!(await send(served, { step: 'connect', payloads: [answer] })) || !accepted) return

  const conversation: Conversation = { conversationId: String(10_000_000 + connection), connectionIndex: connection }
  if (!(await setUp(served, take, conversation))) return
  await answerRequests(served, take, conversation)
}

/** Any number but 0 refuses. */
const notSupported = 679

type Take = () => Promise<Buffer | undefined>

/** Steps 3 to 7. */
async function setUp(served: ServedConnection, take: Take, conversation: Conversation): Promise<boolean> {
  const { seen } = served
  const initialize = await takeRecord(take, appcFunctions.initialize)
  if (initialize === undefined) return false
  seen.initializations.push(must(parseInitializeParameters(initialize.body)))
  const assigned = formatAppcRecord(initializeReply(initialize, conversation))
  if (!(await send(served, { step: 'initialize', payloads: [assigned] }))) return false

  const partner = await takeRecord(take, appcFunctions.setPartnerLogicalUnit)
  if (partner === undefined) return false
  seen.partners.push(must(parsePartnerParameters(partner.body)))

  const allocate = await takeRecord(take, appcFunctions.allocate)
  if (allocate === undefined || allocate.conversationId !== conversation.conversationId) return false
  return send(served, { step: 'allocate', payloads: [formatAppcRecord(allocateReply(conversation))] })
}

/** Steps 8 to 11: the first request is the logon, the others are calls. */
async function answerRequests(served: ServedConnection, take: Take, conversation: Conversation): Promise<void> {
  const { seen } = served
  const server = createApplicationServer(served)
  let sequenceNumber = 1
  let parts: Buffer[] = []
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one record after the other
    const record = await takeRecord(take)
    if (record === undefined) return
    if (record.conversationId !== conversation.conversationId) throw new Error('a record of another conversation')
    if (record.function === appcFunctions.deallocate) {
      seen.deallocated += 1
      return
    }
    const request = must(readRequestData(server.hasSession ? record : withOwnLength(record)))
    parts.push(request.data)
    if (request.barrier) {
      const acknowledgement = formatAppcRecord(acknowledgementRecord(conversation, sequenceNumber))
      // oxlint-disable-next-line no-await-in-loop -- the client waits for it
      if (!(await send(served, { step: 'acknowledge', payloads: [acknowledgement] }))) return
      sequenceNumber += 1
    }
    if (!request.last) continue
    const chain = must(parseChain(parts.length === 1 ? request.data : Buffer.concat(parts)))
    const records = parts.length
    parts = []
    // oxlint-disable-next-line no-await-in-loop -- one request after the other
    const { step, functionName, answer } = await server.answer(chain, records)
    const appcReturnCode = answer.endsConversation ? deallocatedNormally : 0
    const payloads = replyRecords(answer.chain, { conversation, sequenceNumber, appcReturnCode }).map((each) => formatAppcRecord(each))
    sequenceNumber += payloads.length
    // oxlint-disable-next-line no-await-in-loop -- one answer after the other
    if (!(await send(served, { step, functionName, payloads })) || answer.endsConversation) return
  }
}

/** Tails of logons state any length: one client sends that of a logon it once saw, and gateways take it. Those of calls have to be right. */
function withOwnLength(record: AppcRecord): AppcRecord {
  const chainBytes = record.body.length - tailBytes
  if (record.function !== appcFunctions.sapSend || chainBytes < 0) return record
  const body = Buffer.from(record.body)
  body.writeUInt32BE(chainBytes, chainBytes)
  return { ...record, body }
}

const tailBytes = 8

/** Sends an answer or what the script has instead; whether the conversation goes on. */
async function send(
  { ni, socket, connection, options }: ServedConnection,
  moment: Pick<GatewayMoment, 'step' | 'payloads'> & Partial<Pick<GatewayMoment, 'functionName'>>,
): Promise<boolean> {
  const scripted = options.script?.({ connection, functionName: '', ...moment })
  if (scripted !== undefined) return playScript(scripted, ni, socket)
  for (const [at, payload] of moment.payloads.entries()) {
    // oxlint-disable-next-line no-await-in-loop -- between two records of a reply
    if (at > 0 && options.pingWithinReplies === true) await ni.ping()
    // oxlint-disable-next-line no-await-in-loop -- one record after the other
    await ni.send(payload)
  }
  return true
}

async function takeRecord(take: Take, expected?: number): Promise<AppcRecord | undefined> {
  const payload = await take()
  if (payload === undefined) return undefined
  const record = must(parseAppcRecord(payload))
  if (expected !== undefined && record.function !== expected) throw new Error(`function ${record.function} instead of ${expected}`)
  return record
}
