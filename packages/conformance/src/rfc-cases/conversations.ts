import { deallocateRecord, formatNiFrame, niPing } from '@sallyport/rfc-wire'
import { expect } from '../expect.ts'
import { within } from '../probe.ts'
import { callForValues } from './parameters.ts'
import { kindOf, openCaller, openLoggedOn, playSystem, type RfcCase } from './rfc-case.ts'
import { rfcLogon } from './rfc-caller.ts'

export type ConversationCase =
  | 'leads to the gateway, which greets'
  | 'passes a logon on with client, user and password'
  | 'tells why the system refuses a logon'
  | 'answers RFC_PING'
  | 'keeps the session of one conversation apart from that of another'
  | 'passes the end of a conversation on'
  | 'keeps connections alive, also between the pieces of an answer'

/** From the greeting to the end. */
export const conversationCases: Readonly<Record<ConversationCase, RfcCase>> = {
  'leads to the gateway, which greets': {
    async run(context) {
      const { address, visits } = await playSystem(context)
      const { caller } = await openCaller(context, address)
      await caller.connect()
      expect(visits.length, 'connections to the gateway').toBe(1)
      expect(visits[0]?.connects.length, 'greetings of clients').toBe(1)
    },
  },
  'passes a logon on with client, user and password': {
    async run(context) {
      const { address, visits } = await playSystem(context)
      await openLoggedOn(context, address)
      const { client, user, language } = rfcLogon
      expect(visits[0]?.logons, 'what the system saw').toEqual([{ connection: 1, client, user, language, accepted: true }])
    },
  },
  'tells why the system refuses a logon': {
    async run(context) {
      const { address, visits } = await playSystem(context)
      const { caller } = await openCaller(context, address)
      expect(kindOf(await caller.logOn({ password: 'wr0ng-Password' })), 'the answer').toBe(
        'error: Name or password is incorrect (repeat logon)',
      )
      expect(visits[0]?.logons.map(({ accepted }) => accepted)).toEqual([false])
      expect(await caller.next(), 'what follows').toBe(undefined)
    },
  },
  'answers RFC_PING': {
    async run(context) {
      const { address, visits } = await playSystem(context)
      const { caller } = await openLoggedOn(context, address)
      expect(kindOf(await caller.call('RFC_PING')), 'the answer').toBe('success')
      expect(visits[0]?.calls.map(({ functionName }) => functionName)).toEqual(['RFC_PING'])
    },
  },
  'keeps the session of one conversation apart from that of another': {
    async run(context) {
      const { address } = await playSystem(context)
      const [one, other] = [await openLoggedOn(context, address), await openLoggedOn(context, address)]
      const counted: unknown[] = []
      for (const { caller } of [one, one, other, one]) counted.push((await callForValues(caller, 'Z_COUNT', {}, ['COUNT']))['COUNT'])
      expect(counted, 'what the sessions counted').toEqual([1, 2, 1, 3])
    },
  },
  'passes the end of a conversation on': {
    async run(context) {
      const { address, visits } = await playSystem(context)
      const { caller } = await openLoggedOn(context, address)
      caller.record(deallocateRecord(caller.conversation))
      expect(await caller.next(), 'what the gateway says then').toBe(undefined)
      expect(visits[0]?.deallocated, 'conversations that were ended').toBe(1)
      await within(context.far.idle(), context.signal, 'the far side to be idle')
    },
  },
  'keeps connections alive, also between the pieces of an answer': {
    proves: ['PR-077'],
    async run(context) {
      const { address } = await playSystem(context, { chunkBytes: 997, pingWithinReplies: true })
      const { caller } = await openLoggedOn(context, address)
      caller.raw(formatNiFrame(niPing))
      expect((await caller.next())?.kind, 'the answer to a ping').toBe('pong')
      const { ROWS } = await callForValues(caller, 'Z_VOLUME', { ROWS_BACK: 200 }, ['ROWS'])
      expect(ROWS, 'rows').toEqual(Array.from({ length: 200 }, (_, at) => ({ WA: `row ${at}` })))
    },
  },
}
