import { ConnectivityError } from '@sallyport/core'
import { formatAppcRecord, formatCallRequest, formatNiFrame, parseInitializeInfo, isRefused, replyRecords } from '@sallyport/rfc-wire'
import { expect, failCase } from '../expect.ts'
import { reasonOf, within } from '../probe.ts'
import { kindOf, openCaller, openLoggedOn, playSystem, type RfcCase } from './rfc-case.ts'
import type { RfcCaller } from './rfc-caller.ts'

export type DenialCase =
  | 'denies a function that the mapping does not name, and the system hears nothing of it'
  | 'serves the next conversation after a denial'
  | 'names the system to its gateway as that is called there, and to the application as that calls it'
  | 'denies the system calls of the application'
  | 'denies SNC and routes of the application'
  | 'refuses an address that no mapping exposes'
  | 'says that nobody answers at the gateway'

/** Neither `STFC_*` nor `Z_*`, and none of those that clients call by themselves. */
const denied = 'RFC_READ_TABLE'

/** What does not pass. */
export const denialCases: Readonly<Record<DenialCase, RfcCase>> = {
  'denies a function that the mapping does not name, and the system hears nothing of it': {
    requires: 'relay',
    proves: ['PR-095'],
    async run(context) {
      const { address, visits } = await playSystem(context)
      const { caller, stream } = await openLoggedOn(context, address)
      const text = kindOf(await caller.call(denied, [{ kind: 'value', name: 'QUERY_TABLE', value: Buffer.from('T000', 'utf16le') }]))
      expect(text, 'what the application is told').toContain(`error: Access denied for ${denied} on ${address.host}:`)
      expect(text, 'what the application is told').toContain('Expose the function module in your Cloud Connector')
      expect(await caller.next(), 'what follows').toBe(undefined)
      stream.destroy()
      await within(context.far.idle(), context.signal, 'the far side to be idle')
      const heard = Buffer.concat((visits[0]?.messages ?? []).map(({ payload }) => payload))
      expect(heard.includes(Buffer.from('T000', 'utf16le')), 'the system has heard a parameter').toBe(false)
      expect(heard.includes(Buffer.from(denied, 'utf16le')), 'the system has heard the name').toBe(false)
    },
  },
  'serves the next conversation after a denial': {
    requires: 'relay',
    async run(context) {
      const { address } = await playSystem(context)
      await (await openLoggedOn(context, address)).caller.call(denied)
      const { caller } = await openLoggedOn(context, address)
      expect(kindOf(await caller.call('Z_COUNT')), 'the call').toBe('success')
    },
  },
  'names the system to its gateway as that is called there, and to the application as that calls it': {
    requires: 'relay',
    proves: ['PR-098'],
    async run(context) {
      const { address, visits } = await playSystem(context)
      const { caller } = await openCaller(context, address)
      await caller.connect()
      const info = parseInitializeInfo((await caller.initialize()).operationInfo)
      await caller.allocate()
      expect(isRefused(info) ? info.refused : info.logicalUnit, 'the name that the application sees').toBe(address.host.slice(0, 8))
      const heard = Buffer.concat((visits[0]?.messages ?? []).map(({ payload }) => payload)).toString('latin1')
      expect(heard.includes(address.host), 'the gateway has heard the virtual host').toBe(false)
    },
  },
  'denies the system calls of the application': {
    requires: 'relay',
    proves: ['PR-100'],
    async run(context) {
      const chain = formatCallRequest({ release: '754', functionName: 'Z_OF_THE_APPLICATION', wantedOutputs: [], inputs: [] })
      let asked: RfcCaller | undefined
      const { address } = await playSystem(context, {
        script({ step }) {
          if (step !== 'call' || asked === undefined) return undefined
          const records = replyRecords(chain, { conversation: asked.conversation, sequenceNumber: 9, appcReturnCode: 0 })
          return { bytes: records.map((record) => formatNiFrame(formatAppcRecord(record))), end: 'silence' }
        },
      })
      const { caller } = await openLoggedOn(context, address)
      asked = caller
      const outcome = await caller.call('STFC_CONNECTION')
      expect(outcome.kind === 'error' && outcome.ended, 'the call has ended in an error').toBe(true)
      expect(await caller.next(), 'what follows').toBe(undefined)
    },
  },
  'denies SNC and routes of the application': {
    requires: 'relay',
    proves: ['PR-101'],
    async run(context) {
      const { address, visits } = await playSystem(context)
      const secured = Buffer.concat([Buffer.from('SNCFRAME'), Buffer.from('0106001800000000000000000001000000', 'hex')])
      const route = Buffer.from('NI_ROUTE\0\x02\x28\x02\0\0\0\x01', 'latin1')
      for (const first of [secured, route]) {
        const { caller } = await openCaller(context, address)
        caller.say(first)
        expect(await caller.next(), 'the answer').toBe(undefined)
      }
      expect(visits.flatMap(({ messages }) => messages).length, 'messages that reached the gateway').toBe(0)
    },
  },
  'refuses an address that no mapping exposes': {
    requires: 'refusals',
    async run({ far, signal }) {
      const address = far.notExposed ?? failCase('the subject claims refusals and names no address that is not exposed')
      const error = await within(reasonOf(far.dial(address, { signal, locationId: '' })), signal, 'the refused dial')
      expect(ConnectivityError.is(error) ? error.code : error).toBe('ACCESS_DENIED')
    },
  },
  'says that nobody answers at the gateway': {
    async run({ far, signal }) {
      const error = await within(reasonOf(far.dial(await far.unused(), { signal, locationId: '' })), signal, 'the refused dial')
      expect(ConnectivityError.is(error) ? error.code : error).toBe('BACKEND_UNREACHABLE')
      await within(far.idle(), signal, 'the far side to be idle')
    },
  },
}
