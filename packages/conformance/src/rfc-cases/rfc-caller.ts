import type { Duplex } from 'node:stream'
import {
  allocateRecord,
  type AppcRecord,
  clientGatewayConnect,
  type Conversation,
  type ConversationTarget,
  createNiReader,
  createReplyReader,
  formatAppcRecord,
  formatCallRequest,
  formatGatewayConnect,
  formatLogonRequest,
  formatNiFrame,
  initializeRecord,
  isRefused,
  type LogonRequest,
  type NiFrame,
  niPong,
  parseAppcRecord,
  parseChain,
  partnerRecord,
  readCallReply,
  readInitializeReply,
  requestRecords,
  type RfcErrorEnvelope,
  type WireParameter,
} from '@sallyport/rfc-wire'

/** A client of RFC that says what it is told to, well or badly. */
export interface RfcCaller {
  readonly conversation: Conversation
  /** The other side has ended. */
  readonly ended: boolean
  /** Sends raw bytes. */
  raw(bytes: Buffer): void
  /** Sends the payload of an NI frame. */
  say(payload: Buffer): void
  record(record: AppcRecord): void
  /** The next frame, keep-alive included; `undefined` once the other side has ended. */
  next(): Promise<NiFrame | undefined>
  /** The next record. */
  nextRecord(): Promise<AppcRecord>
  connect(): Promise<void>
  initialize(host?: string): Promise<AppcRecord>
  allocate(host?: string): Promise<void>
  /** From the first byte to the answer of the logon. */
  logOn(logon?: Partial<LogonRequest>): Promise<CallOutcome>
  /** Sends a whole chain in as many records as it needs, and reads the reply. */
  ask(chain: Buffer): Promise<CallOutcome>
  /** Sends a call of one record without inputs, and waits for nothing. */
  begin(functionName: string): void
  call(functionName: string, inputs?: readonly WireParameter[], wantedOutputs?: readonly string[]): Promise<CallOutcome>
}

/** The reply, or the end of the connection. */
export type CallOutcome =
  | { readonly kind: 'success'; readonly outputs: readonly WireParameter[] }
  | { readonly kind: 'error'; readonly error: RfcErrorEnvelope; readonly ended: boolean }
  | { readonly kind: 'callback'; readonly data: Buffer }
  | { readonly kind: 'closed' }

/** Whom a caller asks the gateway for. */
export const rfcTarget: ConversationTarget = {
  host: 'erp.demo',
  systemNumber: '00',
  rootContextId: 'A'.repeat(16),
  connectionId: 'B'.repeat(16),
  osUser: 'me',
}

/** Who logs on unless a case says otherwise. */
export const rfcLogon: LogonRequest = {
  client: '100',
  user: 'JANE',
  password: 'top-Secret-1',
  language: 'E',
  clientAddress: '10.1.2.3',
  hostName: 'laptop',
  program: 'node',
  release: '754',
  destination: 'ERP',
  sessionId: Buffer.alloc(16, 5),
  passwordSeed: 0x1234_5678,
}

/** How a caller differs from one that keeps nothing but the order. */
export interface RfcCallerOptions {
  /** Virtual host that it asks for; the one of {@link rfcTarget} unless given. */
  readonly host?: string
  /** Answers pings of the other side, as clients do. They come out of `next` all the same. */
  readonly answersPings?: boolean
  /** Longest wait: what is waited for fails then. */
  readonly signal?: AbortSignal
}

/** Speaks over a stream that is connected already. */
export function createRfcCaller(stream: Duplex, options: RfcCallerOptions = {}): RfcCaller {
  const reader = createNiReader({ maxPayloadBytes: 1 << 24 })
  const frames: NiFrame[] = []
  let ended = false
  let conversation: Conversation = { conversationId: '', connectionIndex: 0xffff }
  let wake: (() => void) | undefined
  stream.on('data', (chunk: Buffer) => {
    for (const frame of reader.read(chunk).frames) {
      frames.push(frame.kind === 'message' ? { ...frame, payload: Buffer.from(frame.payload) } : frame)
      if (frame.kind === 'ping' && options.answersPings === true) stream.write(formatNiFrame(niPong))
    }
    wake?.()
  })
  const onEnd = (): void => {
    ended = true
    wake?.()
  }
  // Clients of RFC end with their peer.
  stream.on('end', () => stream.end())
  stream.on('end', onEnd).on('close', onEnd).on('error', onEnd)

  options.signal?.addEventListener('abort', () => wake?.(), { once: true })

  const host = options.host ?? rfcTarget.host
  const hasNews = (): boolean => frames.length > 0 || ended
  const caller: RfcCaller = {
    get conversation() {
      return conversation
    },
    get ended() {
      return ended
    },
    raw: (bytes) => void stream.write(bytes),
    say: (payload) => caller.raw(formatNiFrame(payload)),
    record: (record) => caller.say(formatAppcRecord(record)),
    async next() {
      while (!hasNews()) {
        if (options.signal?.aborted === true) throw new Error('the suite waited too long for the gateway')
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      return frames.shift()
    },
    async nextRecord() {
      const frame = await caller.next()
      if (frame?.kind !== 'message') throw new Error(`no record but ${frame?.kind ?? 'the end'}`)
      const record = parseAppcRecord(frame.payload)
      if (isRefused(record)) throw new Error(record.refused)
      return record
    },
    async connect() {
      caller.say(formatGatewayConnect(clientGatewayConnect({ program: 'node', hostName: 'laptop' })))
      const frame = await caller.next()
      if (frame?.kind !== 'message') throw new Error('the gateway does not answer')
    },
    async initialize(named = host) {
      caller.record(initializeRecord({ ...rfcTarget, host: named }))
      const reply = await caller.nextRecord()
      const assigned = readInitializeReply(reply)
      if (isRefused(assigned)) throw new Error(assigned.refused)
      conversation = assigned
      return reply
    },
    async allocate(named = host) {
      caller.record(partnerRecord(named, conversation))
      caller.record(allocateRecord(conversation))
      await caller.nextRecord()
    },
    async logOn(logon = {}) {
      await caller.connect()
      await caller.initialize()
      await caller.allocate()
      return await caller.ask(formatLogonRequest({ ...rfcLogon, ...logon }))
    },
    async ask(chain) {
      for (const { record, awaitsAcknowledgement } of requestRecords(chain, conversation)) {
        caller.record(record)
        if (awaitsAcknowledgement) {
          const frame = await caller.next()
          if (frame === undefined) return { kind: 'closed' }
        }
      }
      const replies = createReplyReader()
      for (;;) {
        const frame = await caller.next()
        if (frame === undefined) return { kind: 'closed' }
        if (frame.kind !== 'message') continue
        const record = parseAppcRecord(frame.payload)
        if (isRefused(record)) throw new Error(record.refused)
        const reply = replies.read(record)
        if (reply === 'more') continue
        if (isRefused(reply)) throw new Error(reply.refused)
        return outcomeOf(reply.data, reply.appcReturnCode !== 0)
      }
    },
    begin(functionName) {
      const chain = formatCallRequest({ release: '754', functionName, wantedOutputs: [], inputs: [] })
      for (const { record } of requestRecords(chain, conversation)) caller.record(record)
    },
    call: (functionName, inputs = [], wantedOutputs = []) =>
      caller.ask(formatCallRequest({ release: '754', functionName, wantedOutputs, inputs })),
  }
  return caller
}

function outcomeOf(data: Buffer, isEnded: boolean): CallOutcome {
  const chain = parseChain(data)
  if (isRefused(chain)) throw new Error(chain.refused)
  const isLogon = chain.fields[0]?.value.length === 8
  const reply = readCallReply(chain, isLogon ? 'ascii' : 'utf16le')
  if (isRefused(reply)) throw new Error(reply.refused)
  if (reply.kind === 'callback') return { kind: 'callback', data }
  return reply.kind === 'error' ? { ...reply, ended: isEnded } : reply
}
