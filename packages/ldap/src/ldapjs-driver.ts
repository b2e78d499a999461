import { once } from 'node:events'
import type { Attribute, Change, Client, Control } from 'ldapjs'
import { ConnectivityError } from '@sallyport/core'
import { loadLibrary, openBridge } from '@sallyport/stream'
import type { LdapSession, OpenSession } from './ldap-driver.ts'
import { reescapeDn, resolveEscapes } from './ldapjs-text.ts'

/** What the published types leave out. */
interface Ldapjs {
  createClient(options: { readonly socketPath: string; readonly reconnect: false; readonly queueDisable: true }): Client
  readonly Attribute: new (options: { readonly type: string; readonly values: readonly Buffer[] }) => Attribute
  readonly Change: new (options: { readonly operation: string; readonly modification: Attribute }) => Change
  readonly filters: { parseString(filter: string): { toBer(): { readonly buffer: Buffer } } }
  readonly PagedResultsControl: new (options: {
    readonly value: { readonly size: number; readonly cookie: Buffer }
    readonly criticality: boolean
  }) => Control
}

/** Extended operations whose values the library composes by itself, from objects and not from what it is given. */
const structured: ReadonlySet<string> = new Set(['1.3.6.1.1.8', '1.3.6.1.4.1.4203.1.11.1'])

/** The driver on `ldapjs`. The library dials by itself, so it is led to the stream by a private socket. */
export async function loadLdapjs(): Promise<OpenSession> {
  const peer = { name: 'ldapjs', beside: '@sallyport/ldap', attempt: 'load the LDAP driver "ldapjs"' }
  const { default: library } = (await loadLibrary(peer, () => import('ldapjs'))) as unknown as { readonly default: Ldapjs }
  const attributeOf = (type: string, values: readonly Buffer[]): Attribute => new library.Attribute({ type, values })

  return async (stream, signal): Promise<LdapSession> => {
    const bridge = await openBridge({ open: async () => stream, signal, attempt: 'hand the connection to ldapjs' })
    // Pooling is ours, and every time limit is.
    const client = library.createClient({ socketPath: bridge.path, reconnect: false, queueDisable: true })
    // Emitted beside what the callbacks get; without a listener each would end the process.
    for (const event of ['error', 'connectError', 'connectRefused', 'setupError', 'resultError']) client.on(event, () => {})
    stream.once('close', () => client.destroy())
    try {
      await Promise.all([once(client, 'connect', { signal }), bridge.taken])
    } catch (error) {
      client.destroy()
      throw error
    }
    return {
      bind: (user, password) => settled((callback) => client.bind(user, password, callback)),
      search({ base, scope, filter, attributes, typesOnly, sizeLimit, timeLimitSeconds, page }) {
        const written = resolveEscapes(library.filters.parseString(filter).toBer().buffer)
        // The tag by which the library knows its own filters.
        const ready = { toBer: () => ({ buffer: written }), [Symbol.toStringTag]: 'FilterString' } as unknown as string
        const options = { scope, filter: ready, attributes: [...attributes], typesOnly, sizeLimit, timeLimit: timeLimitSeconds }
        const controls = page === undefined ? [] : [new library.PagedResultsControl({ value: page, criticality: true })]
        return settled((callback) =>
          client.search(reescapeDn(base), options, controls, (error, answer) => {
            if (error !== null) callback(error)
            else answer.on('error', callback).on('end', () => callback(null))
          }),
        )
      },
      add: (dn, attributes) =>
        settled((callback) =>
          client.add(
            reescapeDn(dn),
            attributes.map(([name, values]) => attributeOf(name, values)),
            callback,
          ),
        ),
      modify: (dn, changes) =>
        settled((callback) =>
          client.modify(
            reescapeDn(dn),
            changes.map(
              ({ operation, attribute, values }) => new library.Change({ operation, modification: attributeOf(attribute, values) }),
            ),
            callback,
          ),
        ),
      modifyDn: (dn, newDn) => settled((callback) => client.modifyDN(reescapeDn(dn), reescapeDn(newDn), callback)),
      delete: (dn) => settled((callback) => client.del(reescapeDn(dn), callback)),
      compare: (dn, attribute, value) => settled((callback) => client.compare(reescapeDn(dn), attribute, value, callback)),
      async extended(oid, value) {
        if (value !== undefined && structured.has(oid))
          throw new ConnectivityError('MESSAGE_INVALID', `extended operation ${oid}: ldapjs cannot carry its value; the driver ldapts can`)
        await settled((callback) => client.exop(oid, value as string, [], callback))
      },
    }
  }
}

/** One call of the library, whether it calls back or throws. */
async function settled(call: (callback: (error: unknown) => void) => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  call((error) => {
    if (error === null || error === undefined) resolve()
    else reject(error)
  })
  await promise
}
