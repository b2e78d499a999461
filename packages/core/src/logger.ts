/** The fields that log lines carry; messages are constant strings, what varies is a field. */
export interface LogFields {
  readonly subaccount?: string
  readonly locationId?: string
  readonly virtualHost?: string
  readonly destination?: string
  readonly tunnelId?: string
  readonly streamId?: number
  readonly correlationId?: string
  readonly code?: string
  readonly durationMs?: number
  readonly [field: string]: unknown
}

/** Fields first, message second, as pino has it. `error`: a person must act. `warn`: we recovered. `info`: life cycle. */
export interface Logger {
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
  child(fields: LogFields): Logger
}

/** What every library uses until somebody hands it a logger. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
}
