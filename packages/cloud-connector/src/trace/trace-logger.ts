import type { TraceLevel } from '@sallyport/admin-api'
import type { Clock, LogFields, Logger } from '@sallyport/core'
import type { TraceFile } from './trace-file.ts'
import { formatTraceLine } from './trace-line.ts'

const ranks: Readonly<Record<TraceLevel, number>> = { OFF: 0, ERROR: 1, WARN: 2, INFO: 3, DEBUG: 4, TRACE: 5, ALL: 5 }

/**
 * Writes what is logged into a trace as well, down to a level that is asked for each time. `next` gets everything as before. Fields become JSON behind the
 * message.
 */
export function createTraceLogger(options: {
  readonly file: TraceFile
  readonly name: string
  readonly level: () => TraceLevel
  readonly clock: Clock
  readonly next: Logger
  readonly fields?: LogFields
}): Logger {
  const { clock, fields: own = {}, file, level, name, next } = options
  const write = (rank: 'ERROR' | 'WARN' | 'INFO' | 'DEBUG', fields: LogFields, message: string): void => {
    if (ranks[rank] > ranks[level()]) return
    const all = { ...own, ...fields }
    const { correlationId, tunnelId, ...rest } = all
    const details = JSON.stringify(rest, (_, value: unknown) => (value instanceof Error ? value.message : value))
    const connection = correlationId ?? tunnelId ?? ''
    file.write(
      formatTraceLine(clock.now(), {
        level: rank,
        logger: name,
        connection,
        message: details === '{}' ? message : `${message} ${details}`,
      }),
    )
  }
  return {
    debug(fields, message) {
      write('DEBUG', fields, message)
      next.debug(fields, message)
    },
    info(fields, message) {
      write('INFO', fields, message)
      next.info(fields, message)
    },
    warn(fields, message) {
      write('WARN', fields, message)
      next.warn(fields, message)
    },
    error(fields, message) {
      write('ERROR', fields, message)
      next.error(fields, message)
    },
    child: (fields) => createTraceLogger({ ...options, fields: { ...own, ...fields }, next: next.child(fields) }),
  }
}
