/** Functions of APPC records: protocols.md 11.6. */
export const appcFunctions = {
  initialize: 0x01,
  accept: 0x03,
  allocate: 0x05,
  sendData: 0x07,
  asyncSendData: 0x08,
  receive: 0x09,
  asyncReceive: 0x0a,
  deallocate: 0x0b,
  setTransactionProgram: 0x0d,
  setPartnerLogicalUnit: 0x0f,
  conversationType: 0x17,
  extractTransactionProgram: 0x19,
  flush: 0x1b,
  sapAllocate: 0xc9,
  sapInitialize: 0xca,
  sapSend: 0xcb,
  asyncSapSend: 0xcc,
  sync: 0xcd,
  ping: 0xce,
  registerProgram: 0xcf,
  unregisterProgram: 0xd0,
  acceptProgram: 0xd1,
  unacceptProgram: 0xd2,
  cancelProgram: 0xd3,
  setUser: 0xd4,
  cancel: 0xd5,
  canceled: 0xd6,
} as const

/** Functions that a client needs to call function modules; a relay lets no other pass. */
export const relayedAppcFunctions: ReadonlySet<number> = new Set([
  appcFunctions.initialize,
  appcFunctions.allocate,
  appcFunctions.sendData,
  appcFunctions.asyncSendData,
  appcFunctions.receive,
  appcFunctions.asyncReceive,
  appcFunctions.deallocate,
  appcFunctions.setPartnerLogicalUnit,
  appcFunctions.flush,
  appcFunctions.sapSend,
  appcFunctions.ping,
  appcFunctions.cancel,
  appcFunctions.canceled,
])

/** Return codes of CPI-C, after SAP Note 63347. */
const appcReturnCodes: ReadonlyMap<number, string> = new Map([
  [0, 'ok'],
  [1, 'allocate failure, no retry'],
  [2, 'allocate failure, retry'],
  [6, 'security not valid'],
  [9, 'transaction program not recognised'],
  [10, 'transaction program not available, no retry'],
  [11, 'transaction program not available, retry'],
  [17, 'deallocated abnormally'],
  [18, 'deallocated normally'],
  [19, 'parameter error'],
  [20, 'product-specific error'],
  [10_001, 'timeout'],
  [10_002, 'cancelled'],
])

/** The conversation has ended; the record may still carry the last of the data, a refused logon among it. */
export const deallocatedNormally = 18

/** Names a return code in words; a number without a name stays a number. */
export function appcReturnCodeName(code: number): string {
  return appcReturnCodes.get(code) ?? String(code)
}
