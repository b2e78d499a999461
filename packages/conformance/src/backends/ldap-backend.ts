import { ConnectivityError, formatAddress, type LdapDestination, parseDestination, type ProtocolClient } from '@sallyport/core'
import type { Demand } from '../adapter-cases/adapter-case.ts'
import type { FarEnd } from '../far-side.ts'
import { entry, message, onRequest, pageControl, result, tags, tlv } from './ldap-messages.ts'
import type { ScriptedBackend } from './scripted-backend.ts'

interface LdapAsks extends ProtocolClient {
  search(options: {
    readonly base: string
    readonly filter: string
    readonly pageSize?: number
    readonly signal: AbortSignal
  }): AsyncIterable<{ readonly attributes: Readonly<Record<string, readonly string[]>> }>
}

/** A directory that answers searches with one entry, to whom it knows. */
function serve(far: FarEnd, { credentials }: Demand): void {
  let known = credentials.kind === 'none'
  onRequest(far, ({ id, operation, bytes }) => {
    if (operation === tags.bind) {
      const expected =
        credentials.kind === 'basic' ? Buffer.concat([tlv(0x04, credentials.user), tlv(0x80, credentials.password.reveal())]) : undefined
      known = expected === undefined || bytes.includes(expected)
      far.stream.write(message(id, result(0x61, known ? 0 : 49, known ? '' : 'who is that')))
    }
    if (operation !== tags.search) return
    if (known) far.stream.write(message(id, entry('cn=answer', 'cn', 'answer')))
    far.stream.write(message(id, result(0x65, known ? 0 : 50)))
  })
}

/** Entries that a slow reader is sent at a time. */
const pageSize = 50

/** Answers the first search with these bytes. */
const answering =
  (bytes: (id: number) => Buffer): ((far: FarEnd) => void) =>
  (far) =>
    onRequest(far, ({ id, operation }) => {
      if (operation !== tags.unbind) far.stream.write(bytes(id))
    })

/** As much of a directory as one search needs, and answers that no client should take. */
export const ldapBackend: ScriptedBackend<'LDAP', LdapAsks> = {
  destination: (address, locationId = 'orlando') =>
    parseDestination({
      Name: 'DIRECTORY',
      Type: 'LDAP',
      'ldap.url': `ldap://${formatAddress(address)}`,
      'ldap.proxyType': 'OnPremise',
      CloudConnectorLocationId: locationId,
    }) as LdapDestination,
  serve,
  async work(client, signal) {
    const found: (string | undefined)[] = []
    for await (const { attributes } of client.search({ base: 'dc=test', filter: '(cn=answer)', signal })) found.push(attributes['cn']?.[0])
    if (found.length !== 1 || found[0] !== 'answer') throw new ConnectivityError('NOT_FOUND', 'the entry did not come')
  },
  longAnswer: {
    serve(far, content) {
      const pieces = content[Symbol.asyncIterator]() as AsyncIterator<Buffer>
      const answerPage = async (id: number): Promise<void> => {
        let more = true
        for (let entries = 0; more && entries < pageSize; entries++) {
          // oxlint-disable-next-line no-await-in-loop -- one entry after the other
          const { done, value } = await pieces.next()
          more = done !== true
          if (more) far.stream.write(message(id, entry('cn=answer', 'cn', value)))
        }
        far.stream.write(message(id, result(0x65, 0), pageControl(more ? 'more' : '')))
      }
      onRequest(far, ({ id, operation }) => {
        if (operation === tags.search) void answerPage(id)
      })
    },
    async *ask(client, signal) {
      for await (const { attributes } of client.search({ base: 'dc=test', filter: '(cn=answer)', pageSize, signal })) {
        yield attributes['cn']?.[0] ?? ''
      }
    },
  },
  beginAnswer: ({ stream }) => void stream.write(message(2, entry('cn=answer', 'cn', 'answer')).subarray(0, 12)),
  hostile: {
    'a page of HTML': answering(() => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n<html>')),
    'a message of 2 GiB': answering(() => Buffer.from('30847fffffff020101', 'hex')),
    'a length of the indefinite form': answering(() => Buffer.from('3080020101', 'hex')),
    'a length of a length of 126': answering(() => Buffer.from('30fe020101', 'hex')),
    'an inner length beyond the message': answering((id) => Buffer.from([0x30, 0x08, 0x02, 0x01, id, 0x64, 0x7f, 0x04, 0x00, 0x30])),
    'an entry whose value is longer than it': answering((id) =>
      message(id, tlv(0x64, tlv(0x04), tlv(0x30, tlv(0x30, tlv(0x04, 'cn'), tlv(0x31, Buffer.of(0x04, 0x05, 0x41)))))),
    ),
    'a result without a code': answering((id) => message(id, tlv(0x65, tlv(0x04), tlv(0x04)))),
    'an answer to nobody': answering(() => message(99, result(0x65, 0))),
    'an answer to another kind of request': answering((id) => message(id, result(0x6b, 0))),
    'an operation that does not exist': answering((id) => message(id, tlv(0x7e))),
  },
  // A request is one message, bounded as a whole.
  features: { basic: true, header: false, principal: false, locations: true, answers: true, longAnswers: true, longRequests: false },
}
