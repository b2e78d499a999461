import { type AdapterParts, type Demand, describeAdapter, type FarEnd, type FarSide } from '@sallyport/conformance'
import {
  type Address,
  ConnectivityError,
  createSecret,
  formatAddress,
  type LdapDestination,
  parseDestination,
  systemClock,
} from '@sallyport/core'
import { createDirectDial, createProxyDial } from '@sallyport/dial'
import { createMemoryNetwork, createSocketNetwork, createSocksServer } from '@sallyport/test-fixtures'
import { createLdapAdapter, type LdapClient } from '../src/index.ts'
import { entry, message, onRequest, result, tags, tlv } from './test-directory.ts'

const token = 'header.payload.signature-of-the-proxy'

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

/** Answers the first search with these bytes. */
const answering =
  (bytes: (id: number) => Buffer): ((far: FarEnd) => void) =>
  (far) =>
    onRequest(far, ({ id, operation }) => {
      if (operation !== tags.unbind) far.stream.write(bytes(id))
    })

const common = {
  destination: (address: Address): LdapDestination =>
    parseDestination({
      Name: 'DIRECTORY',
      Type: 'LDAP',
      'ldap.url': `ldap://${formatAddress(address)}`,
      'ldap.proxyType': 'OnPremise',
      CloudConnectorLocationId: 'orlando',
    }) as LdapDestination,
  serve,
  async work(client: LdapClient, signal: AbortSignal): Promise<void> {
    const found = await Array.fromAsync(client.search({ base: 'dc=test', filter: '(cn=answer)', signal }))
    if (found.length !== 1 || found[0]?.attributes['cn']?.[0] !== 'answer')
      throw new ConnectivityError('NOT_FOUND', 'the entry did not come')
  },
  beginAnswer: ({ stream }: FarEnd): void => void stream.write(message(2, entry('cn=answer', 'cn', 'answer')).subarray(0, 12)),
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
} satisfies Partial<AdapterParts<'LDAP', LdapClient, FarSide>>

const features = { basic: true, header: false, principal: false, locations: true, answers: true }

for (const driver of ['ldapjs', 'ldapts'] as const) {
  const parts = { ...common, create: () => createLdapAdapter({ clock: systemClock, driver }) }
  describeAdapter(`${driver} over a dial in memory`, { ...parts, open: async () => createMemoryNetwork(), features })

  describeAdapter(`${driver} over sockets`, {
    ...parts,
    open: async () => ({ ...createSocketNetwork(), dial: createDirectDial() }),
    features,
  })

  describeAdapter(`${driver} through SOCKS5`, {
    ...parts,
    async open() {
      const network = createSocketNetwork()
      const proxy = await createSocksServer({ token, route: (host, port) => ({ host, port }) })
      return {
        ...network,
        dial: createProxyDial({ kind: 'socks5', proxy: proxy.address, token: async () => createSecret(token) }),
        idle: async () => {
          await Promise.all([network.idle(), proxy.idle()])
        },
        async [Symbol.asyncDispose]() {
          await Promise.all([network[Symbol.asyncDispose](), proxy[Symbol.asyncDispose]()])
        },
      }
    },
    secrets: [token],
    features,
  })
}
