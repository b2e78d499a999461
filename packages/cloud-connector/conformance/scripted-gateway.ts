import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import {
  acceptedGatewayConnect,
  acknowledgementRecord,
  allocateReply,
  appcFunctions,
  type AppcRecord,
  type Conversation,
  cpicTags,
  createNiReader,
  formatAppcRecord,
  formatCallReply,
  formatChain,
  formatGatewayConnect,
  formatNiFrame,
  initializeReply,
  isRefused,
  niPong,
  parseAppcRecord,
  parseGatewayConnect,
  readRequestData,
  replyRecords,
} from '@sallyport/rfc-wire'

/** What a gateway has seen of one connection. */
export interface GatewayVisit {
  /** Every NI message, keep-alive not among them. */
  readonly messages: readonly Buffer[]
  readonly pongs: number
  /** Chains of logons and calls that have come to their end. */
  readonly requests: readonly Buffer[]
  readonly closed: boolean
  /** Sends the payload of an NI frame. */
  say(payload: Buffer): void
  raw(bytes: Buffer): void
  end(): void
  destroy(): void
}

/** A gateway that keeps to the protocol, answers everything, and remembers every byte. */
export interface ScriptedGateway extends AsyncDisposable {
  readonly port: number
  readonly visits: readonly GatewayVisit[]
}

export const gatewayConversation: Conversation = { conversationId: '75568442', connectionIndex: 3 }

/** Options of {@link startScriptedGateway}. */
export interface GatewayScript {
  readonly codePage?: string
  /** Chain of the answer to a call; the default is a success without outputs. */
  readonly answer?: (chain: Buffer) => Buffer
  /** Takes the place of the answer: what is sent after a request. */
  readonly reply?: (chain: Buffer, visit: GatewayVisit) => readonly Buffer[]
  /** Answers no ping. */
  readonly deaf?: boolean
  /** Stays silent from the beginning. */
  readonly silent?: boolean
}

export const success: Buffer = formatCallReply({ sessionId: Buffer.alloc(16), outputNames: [], outputs: [] })

/** Payloads of the frames that carry a reply. */
export function replyPayloads(chain: Buffer, appcReturnCode = 0): readonly Buffer[] {
  return replyRecords(chain, { conversation: gatewayConversation, sequenceNumber: 7, appcReturnCode }).map(formatAppcRecord)
}

const loggedOn = formatChain(
  [
    { tag: cpicTags.start, value: Buffer.from('0101010504010003', 'hex') },
    { tag: cpicTags.reply, value: Buffer.alloc(0) },
    { tag: cpicTags.callStatus, value: Buffer.alloc(4) },
  ],
  { logon: false },
)

export async function startScriptedGateway(script: GatewayScript = {}): Promise<ScriptedGateway> {
  const visits: GatewayVisit[] = []
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: false, noDelay: true }, (socket) => {
    sockets.add(socket)
    visits.push(serve(socket, script))
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    visits,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

function serve(socket: Socket, script: GatewayScript): GatewayVisit {
  const messages: Buffer[] = []
  const requests: Buffer[] = []
  const reader = createNiReader({ maxPayloadBytes: 1 << 20 })
  let pongs = 0
  let slices: Buffer[] = []
  let isLoggedOn = false

  const say = (payload: Buffer): void => void socket.write(formatNiFrame(payload))
  const sayRecord = (record: AppcRecord): void => say(formatAppcRecord(record))
  const visit: GatewayVisit = {
    messages,
    requests,
    get pongs() {
      return pongs
    },
    get closed() {
      return socket.destroyed
    },
    say,
    raw: (bytes) => void socket.write(bytes),
    end: () => void socket.end(),
    destroy: () => socket.destroy(),
  }
  const onRequest = (chain: Buffer): void => {
    requests.push(chain)
    if (!isLoggedOn) {
      isLoggedOn = true
      for (const payload of replyPayloads(loggedOn)) say(payload)
      return
    }
    for (const payload of script.reply?.(chain, visit) ?? replyPayloads(script.answer?.(chain) ?? success)) say(payload)
  }
  const onRecord = (record: AppcRecord): void => {
    if (record.function === appcFunctions.initialize) return sayRecord(initializeReply(record, gatewayConversation))
    if (record.function === appcFunctions.allocate) return sayRecord(allocateReply(gatewayConversation))
    if (record.function === appcFunctions.setPartnerLogicalUnit || record.function === appcFunctions.deallocate) return
    if (record.function === appcFunctions.ping) return sayRecord(record)
    const data = readRequestData(record)
    if (isRefused(data)) return
    slices.push(data.data)
    if (data.barrier) return sayRecord(acknowledgementRecord(gatewayConversation, 2))
    if (!data.last) return
    const chain = Buffer.concat(slices)
    slices = []
    onRequest(chain)
  }
  socket.on('error', () => {})
  socket.on('data', (chunk) => {
    for (const frame of reader.read(chunk).frames) {
      if (frame.kind === 'pong') pongs += 1
      if (frame.kind === 'ping' && script.deaf !== true) say(niPong)
      if (frame.kind !== 'message') continue
      messages.push(Buffer.from(frame.payload))
      if (script.silent === true) continue
      const [connect] = messages
      if (messages.length === 1 && connect !== undefined) {
        const client = parseGatewayConnect(connect)
        if (isRefused(client)) socket.destroy()
        else
          say(
            formatGatewayConnect({
              ...acceptedGatewayConnect(client),
              ...(script.codePage === undefined ? {} : { codePage: script.codePage }),
            }),
          )
        continue
      }
      const record = parseAppcRecord(frame.payload)
      if (!isRefused(record)) onRecord(record)
    }
  })
  return visit
}
