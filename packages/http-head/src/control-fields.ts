/** The header values that decide about body, connection and routing. `undefined` is absent; lists that span several lines are joined by commas. */
export interface ControlFields {
  host: string | undefined
  hostCount: number
  contentLength: string | undefined
  contentLengthCount: number
  transferEncoding: string | undefined
  transferEncodingCount: number
  connection: string | undefined
  proxyConnection: string | undefined
  upgrade: string | undefined
  expect: string | undefined
}

/** Collects them in one pass over the names. */
export function readControlFields(names: readonly string[], values: readonly string[]): ControlFields {
  const fields: ControlFields = {
    host: undefined,
    hostCount: 0,
    contentLength: undefined,
    contentLengthCount: 0,
    transferEncoding: undefined,
    transferEncodingCount: 0,
    connection: undefined,
    proxyConnection: undefined,
    upgrade: undefined,
    expect: undefined,
  }
  for (let at = 0; at < names.length; at += 1) {
    const value = values[at]!
    switch (names[at]) {
      case 'host':
        fields.host = value
        fields.hostCount += 1
        break
      case 'content-length':
        fields.contentLength = value
        fields.contentLengthCount += 1
        break
      case 'transfer-encoding':
        fields.transferEncoding = value
        fields.transferEncodingCount += 1
        break
      case 'connection':
        fields.connection = append(fields.connection, value)
        break
      case 'proxy-connection':
        fields.proxyConnection = append(fields.proxyConnection, value)
        break
      case 'upgrade':
        fields.upgrade = append(fields.upgrade, value)
        break
      case 'expect':
        fields.expect = append(fields.expect, value)
        break
    }
  }
  return fields
}

function append(list: string | undefined, value: string): string {
  return list === undefined ? value : `${list},${value}`
}

const none: readonly string[] = []

/** The lower-case members of a comma-separated list, in order; empty members are skipped (RFC 9110 §5.6.1). */
export function listMembers(list: string | undefined): readonly string[] {
  if (list === undefined || list === '') return none
  const lowerCase = list.toLowerCase()
  if (!lowerCase.includes(',')) return [lowerCase]
  return lowerCase
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '')
}
