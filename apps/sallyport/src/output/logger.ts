import { closeSync, openSync, writeSync } from 'node:fs'
import type { LogFields, Logger } from '@sallyport/core'
import { pino, type DestinationStream, type Logger as Pino } from 'pino'

export interface ProcessLog extends Disposable {
  readonly logger: Logger
}

/** Logs JSON lines to a file that only its owner reads. Opened once per process; appends. */
export function openFileLog(path: string, level: string): ProcessLog {
  const handle = openSync(path, 'a', 0o600)
  const log = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, {
    write: (line: string) => void writeSync(handle, line),
  } satisfies DestinationStream)
  return { logger: adapt(log), [Symbol.dispose]: () => closeSync(handle) }
}

/** Logs JSON lines to standard output, for servers under a supervisor. */
export function openStdoutLog(level: string): ProcessLog {
  return { logger: adapt(pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime })), [Symbol.dispose]: () => {} }
}

function adapt(log: Pino): Logger {
  return {
    debug: (fields: LogFields, message) => log.debug(fields, message),
    info: (fields: LogFields, message) => log.info(fields, message),
    warn: (fields: LogFields, message) => log.warn(fields, message),
    error: (fields: LogFields, message) => log.error(fields, message),
    child: (fields) => adapt(log.child(fields)),
  }
}
