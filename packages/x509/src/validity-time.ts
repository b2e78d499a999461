import { invalid } from './der-reader.ts'
import { encode, tags } from './der-writer.ts'

/** RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050 on; both in whole seconds, rounded down. */
export function encodeTime(date: Date): Buffer {
  const year = date.getUTCFullYear()
  if (!(year >= 1950 && year <= 9999)) throw invalid('the certificate', 'has a time outside the years 1950 to 9999')
  const digits = date.toISOString().replaceAll(/[-:T]|\.\d{3}Z$/g, '')
  return year < 2050
    ? encode(tags.utcTime, Buffer.from(`${digits.slice(2)}Z`, 'latin1'))
    : encode(tags.generalizedTime, Buffer.from(`${digits}Z`, 'latin1'))
}
