import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { BerWriter } from 'ldapts'
import { loadLibrary } from '@sallyport/stream'
import { writeElement } from './ber.ts'
import type { LdapSession, OpenSession } from './ldap-driver.ts'

const octets = 0x04

/** The driver on `ldapts`, which takes a stream as its socket. */
export async function loadLdapts(): Promise<OpenSession> {
  const peer = { name: 'ldapts', beside: '@sallyport/ldap', attempt: 'load the LDAP driver "ldapts"' }
  const { Attribute, Change, Client, Control } = await loadLibrary(peer, () => import('ldapts'))

  /** The library's own control keeps the cookie to itself, and ends after a page without entries. */
  class PagedResults extends Control {
    readonly #value: Buffer
    constructor(page: { readonly size: number; readonly cookie: Buffer }) {
      super('1.2.840.113556.1.4.319', { critical: true })
      const size = Buffer.alloc(4)
      size.writeUInt32BE(page.size)
      this.#value = writeElement(0x30, writeElement(0x02, size), writeElement(octets, page.cookie))
    }
    override writeControl(writer: BerWriter): void {
      writer.writeBuffer(this.#value, octets)
    }
  }
  const attributeOf = (type: string, values: readonly Buffer[]): InstanceType<typeof Attribute> =>
    new Attribute({ type, values: [...values] })

  return async (stream): Promise<LdapSession> => {
    const client = new Client({ url: 'ldap://destination', createConnection: () => stream as Duplex & Socket, strictDN: false })
    return {
      bind: (user, password) => client.bind(user, password),
      async search({ base, scope, filter, attributes, typesOnly, sizeLimit, timeLimitSeconds, page }) {
        const options = {
          scope,
          filter,
          attributes: [...attributes],
          returnAttributeValues: !typesOnly,
          sizeLimit,
          timeLimit: timeLimitSeconds,
        }
        await client.search(base, options, page === undefined ? [] : [new PagedResults(page)])
      },
      add: (dn, attributes) =>
        client.add(
          dn,
          attributes.map(([name, values]) => attributeOf(name, values)),
        ),
      modify: (dn, changes) =>
        client.modify(
          dn,
          changes.map(({ operation, attribute, values }) => new Change({ operation, modification: attributeOf(attribute, values) })),
        ),
      modifyDn: (dn, newDn) => client.modifyDN(dn, newDn),
      delete: (dn) => client.del(dn),
      compare: (dn, attribute, value) => client.compare(dn, attribute, value),
      extended: (oid, value) => client.exop(oid, value),
    }
  }
}
