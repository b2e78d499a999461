import type { HeadLimits } from './types.ts'

/**
 * What the data path accepts unless it is told otherwise.
 *
 * 8192 bytes per line is what the original documents for one HTTP line; room for a bearer token of 8 kB less its name. 256 lines and 64 kB are far beyond
 * what browsers, SAP's clients and backends send and keep a connection from holding more than one socket buffer for a head.
 */
export const defaultHeadLimits: HeadLimits = { maxLineBytes: 8192, maxHeaderCount: 256, maxHeadBytes: 65_536 }

/** Enough for 2⁵³ − 1 (14 digits) with two leading zeros; stops a size line that is all zeros. */
export const maxChunkSizeDigits = 16

/** 9,007,199,254,740,991 has 16 digits; longer numbers cannot be exact. */
export const maxContentLengthDigits = 16
