import { checkConfiguration, type ConfigurationSchema, formatProblemPath } from '@sallyport/admin-api'
import { malformed } from '../http/answer.ts'

/** The body of a request in the form of its schema. @throws ConnectivityError `MESSAGE_INVALID` that names every problem and quotes no value. */
export function readBody<Value>(body: unknown, schema: ConfigurationSchema<Value>): Value {
  const read = checkConfiguration(schema, body)
  if ('value' in read) return read.value
  const problems = read.problems.map(({ path, message }) => (path.length === 0 ? message : `${formatProblemPath(path)}: ${message}`))
  throw malformed(`The request body is not valid: ${problems.slice(0, 10).join('; ')}`)
}
