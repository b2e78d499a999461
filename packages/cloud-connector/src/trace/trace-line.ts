/** What a line of a trace says besides its time. */
export interface TraceLine {
  readonly level: string
  readonly logger: string
  /** Of a request or connection; may be empty. */
  readonly connection: string
  readonly message: string
}

/** `Timestamp#Level#Logger name#Thread name#Connection ID#Message`; what there is none of is blank. */
export function formatTraceLine(atMs: number, { connection, level, logger, message }: TraceLine): string {
  const time = new Date(atMs).toISOString().replace('T', ' ').replace('.', ',').replace('Z', ' +0000')
  // Nothing that a caller chooses may begin a line or a column.
  const column = (text: string): string => text.replace(/[\p{Cc}#]/gu, '?')
  return `${time}#${level.padEnd(5)}#${column(logger).padEnd(20)}#${' '.repeat(10)}#${column(connection).padEnd(36)}#${message.replace(/[\p{Cc}]/gu, '?')}\n`
}

/** Bytes as sixteen to a row, with what of them is ASCII. */
export function formatHexDump(bytes: Buffer): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 16) {
    const row = bytes.subarray(at, at + 16)
    const hex = row.toString('hex').replace(/../g, '$& ').padEnd(48)
    text += `  ${at.toString(16).padStart(8, '0')}  ${hex} |${row.toString('latin1').replace(/[^ -~]/g, '.')}|\n`
  }
  return text
}
