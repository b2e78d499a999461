import type { Flow } from '../flow.ts'
import { required } from '../property-reading.ts'

/** `BasicAuthentication`: user and password, ready to be sent. Mail clients log on with the properties themselves. */
export const basic: Flow = async ({ configuration }) => {
  if (configuration.Type !== 'HTTP') return undefined
  const value = Buffer.from(`${required(configuration, 'User')}:${configuration['Password'] ?? ''}`, 'utf8').toString('base64')
  return { type: 'Basic', value, http_header: { key: 'Authorization', value: `Basic ${value}` } }
}
