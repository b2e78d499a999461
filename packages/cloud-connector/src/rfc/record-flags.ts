import type { AppcRecord } from '@sallyport/rfc-wire'

/** Bits of records that decide how what follows the header is read: protocols.md 11.6. */
const info = { hostAddress: 0x02, parameters: 0x04, error: 0x10 } as const
const info2 = { sncActive: 0x08, sncInitialising: 0x20 } as const
const endOfMessage = 0x04

/**
 * Why a gateway could read a record of a client differently than the relay does, or `undefined`. Data that a gateway takes for the text of an error, or a slice that
 * it takes for the end of a message, would let it find another request than the one that has been decided.
 */
export function explainFlags(record: AppcRecord): string | undefined {
  if (record.mode !== 0) return `a record of mode ${record.mode}`
  if (record.errorBytes !== 0 || (record.info & info.error) !== 0) return 'a record with the text of an error'
  if ((record.info2 & (info2.sncActive | info2.sncInitialising)) !== 0) return 'a record that says it is protected by SNC'
  return undefined
}

/** The same for records with data. A request of one record ends a message and has parameters behind its data; a slice has neither. */
export function explainDataFlags(record: AppcRecord, isWholeRequest: boolean): string | undefined {
  if ((record.info & info.hostAddress) !== 0) return 'a request with an address'
  if (((record.info & info.parameters) !== 0) !== isWholeRequest) return 'a request whose header says otherwise about its parameters'
  return ((record.vector & endOfMessage) !== 0) === isWholeRequest ? undefined : 'a request whose header says otherwise about its end'
}
