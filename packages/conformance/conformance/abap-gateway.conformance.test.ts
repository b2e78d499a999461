import { once } from 'node:events'
import { connect } from 'node:net'
import {
  allocateRecord,
  type AppcRecord,
  clientGatewayConnect,
  type Conversation,
  deallocateRecord,
  formatAppcRecord,
  formatCallRequest,
  formatGatewayConnect,
  formatLogonRequest,
  gatewayRequestTypes,
  initializeRecord,
  isRefused,
  parseAppcRecord,
  parseChain,
  parseGatewayConnect,
  partnerRecord,
  readCallReply,
  readInitializeReply,
  readLogonAnswer,
  requestRecords,
} from '@sallyport/rfc-wire'
import { type AbapGateway, createAbapGateway, createNiConnection, type NiConnection } from '../src/backends.ts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const target = { host: 'erp.example', systemNumber: '00', rootContextId: '0'.repeat(16), connectionId: '1'.repeat(16), osUser: '' }
const greeting = formatGatewayConnect(clientGatewayConnect({ program: 'test', hostName: 'here' }))
const logon = (password: string): Buffer =>
  formatLogonRequest({
    client: '001',
    user: 'DEVELOPER',
    password,
    language: 'E',
    clientAddress: '127.0.0.1',
    hostName: 'here',
    program: 'test',
    release: '754',
    destination: 'ERP',
    sessionId: Buffer.alloc(16, 1),
    passwordSeed: 1,
  })

async function connected(port: number): Promise<NiConnection> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  return createNiConnection(socket)
}

async function ask(ni: NiConnection, record: AppcRecord): Promise<AppcRecord> {
  await ni.send(formatAppcRecord(record))
  const answer = parseAppcRecord((await ni.take()) ?? Buffer.alloc(0))
  if (isRefused(answer)) throw new Error(answer.refused)
  return answer
}

async function conversed(ni: NiConnection): Promise<Conversation> {
  await ni.send(greeting)
  await ni.take()
  const conversation = readInitializeReply(await ask(ni, initializeRecord(target)))
  if (isRefused(conversation)) throw new Error(conversation.refused)
  await ni.send(formatAppcRecord(partnerRecord(target.host, conversation)))
  await ask(ni, allocateRecord(conversation))
  return conversation
}

async function requested(ni: NiConnection, chain: Buffer, conversation: Conversation): Promise<AppcRecord> {
  const [step] = requestRecords(chain, conversation)
  if (step === undefined) throw new Error('no record')
  return ask(ni, step.record)
}

function chainOf(record: AppcRecord): Exclude<ReturnType<typeof parseChain>, { refused: string }> {
  const chain = parseChain(record.body)
  if (isRefused(chain)) throw new Error(chain.refused)
  return chain
}

describe('the fixture gateway', () => {
  let gateway: AbapGateway
  beforeEach(async () => {
    gateway = await createAbapGateway()
  })
  afterEach(async () => {
    await gateway[Symbol.asyncDispose]()
  })

  it('takes a client through all steps, and counts what it has seen', async () => {
    const ni = await connected(gateway.address.port)
    const conversation = await conversed(ni)
    expect(readLogonAnswer(chainOf(await requested(ni, logon('secret'), conversation)), 'utf16le')).toMatchObject({ accepted: true })
    const call = formatCallRequest({ release: '754', functionName: 'Z_COUNT', wantedOutputs: ['COUNT'], inputs: [] })
    for (const count of [1, 2]) {
      expect(readCallReply(chainOf(await requested(ni, call, conversation)), 'utf16le')).toEqual({
        kind: 'success',
        outputs: [{ kind: 'value', name: 'COUNT', value: Buffer.of(count, 0, 0, 0) }],
      })
    }
    await ni.send(formatAppcRecord(deallocateRecord(conversation)))
    await gateway.idle()
    const { logons, calls, deallocated, violations, messages } = gateway.seen
    expect([logons.length, calls.length, deallocated, messages.length, violations]).toEqual([1, 2, 1, 8, []])
  })

  it('refuses a wrong password with text, and ends the conversation', async () => {
    const ni = await connected(gateway.address.port)
    const answer = await requested(ni, logon('wrong'), await conversed(ni))
    expect(answer).toMatchObject({ appcReturnCode: 18, vector: 8 })
    expect(readLogonAnswer(chainOf(answer), 'utf16le')).toMatchObject({ accepted: false })
    expect(await ni.take()).toBeUndefined()
  })

  it('refuses what is no client', async () => {
    const ni = await connected(gateway.address.port)
    const monitor = { ...clientGatewayConnect({ program: 'test', hostName: 'here' }), requestType: gatewayRequestTypes.monitorCommand }
    await ni.send(formatGatewayConnect(monitor))
    expect(parseGatewayConnect((await ni.take()) ?? Buffer.alloc(0))).toMatchObject({ returnCode: 679 })
    expect(await ni.take()).toBeUndefined()
  })

  it('closes the connection of a client that leaves out a step', async () => {
    const ni = await connected(gateway.address.port)
    await ni.send(greeting)
    await ni.take()
    const conversation = readInitializeReply(await ask(ni, initializeRecord(target)))
    if (isRefused(conversation)) throw new Error(conversation.refused)
    await ni.send(formatAppcRecord(allocateRecord(conversation)))
    expect(await ni.take()).toBeUndefined()
    expect(gateway.seen.violations).toEqual(['Error: function 5 instead of 15'])
  })
})
