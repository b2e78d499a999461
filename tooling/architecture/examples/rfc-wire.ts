import { PassThrough } from 'node:stream'
import {
  clientAppcRecord,
  createNiReader,
  formatAppcRecord,
  formatCallRequest,
  formatNiFrame,
  maxClientFrameBytes,
  type NiReader,
  requestRecords,
} from '@sallyport/rfc-wire'

const call = formatCallRequest({ release: '754', functionName: 'STFC_CONNECTION', wantedOutputs: ['ECHOTEXT'], inputs: [] })
const [first] = requestRecords(call, { conversationId: '75568442', connectionIndex: 1 })

export const socket: Pick<PassThrough, 'write'> = new PassThrough()
export const reader: NiReader = createNiReader({ maxPayloadBytes: maxClientFrameBytes })
export const chunk: Buffer = formatNiFrame(formatAppcRecord(first?.record ?? clientAppcRecord({ function: 0 })))
export const close = (reason: string): never => {
  throw new Error(reason)
}
