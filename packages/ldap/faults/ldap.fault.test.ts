import { once } from 'node:events'
import { inspect } from 'node:util'
import {
  type Address,
  type ConnectContext,
  ConnectivityError,
  createSecret,
  type Dial,
  formatAddress,
  type LdapDestination,
  parseDestination,
  silentLogger,
  systemClock,
} from '@sallyport/core'
import { createDirectDial } from '@sallyport/dial'
import { createSocketNetwork, type FarEnd } from '@sallyport/test-fixtures'
import { describe, expect, it } from 'vitest'
import {
  berElement as tlv,
  ldapEntry as entry,
  ldapMessage as message,
  ldapResult as result,
  ldapTags as tags,
  onLdapRequest as onRequest,
} from '@sallyport/conformance/backends'
import { createLdapAdapter, dnText, filterText, type LdapClient, type LdapDriverName } from '../src/index.ts'

const drivers = ['ldapjs', 'ldapts'] as const
const password = 'p4ss-w0rd-of-the-app'
const basic = { kind: 'basic', user: 'cn=app', password: createSecret(password) } as const
const signal = (): AbortSignal => AbortSignal.timeout(8000)

interface Opening {
  readonly properties?: Readonly<Record<string, string>>
  readonly context?: Partial<ConnectContext>
}

function open(driver: LdapDriverName, address: Address, { properties = {}, context = {} }: Opening = {}): Promise<LdapClient> {
  const destination = parseDestination({ Name: 'D', Type: 'LDAP', 'ldap.url': `ldap://${formatAddress(address)}`, ...properties })
  return createLdapAdapter({ clock: systemClock, driver }).connect(destination as LdapDestination, {
    dial: createDirectDial(),
    credentials: { kind: 'none' },
    signal: signal(),
    log: silentLogger,
    ...context,
  })
}

/** Binds anybody and answers searches with these messages. */
const searching =
  (...operations: readonly Buffer[]) =>
  (far: FarEnd): void =>
    onRequest(far, ({ id, operation }) => {
      if (operation === tags.bind) far.stream.write(message(id, result(0x61, 0)))
      if (operation === tags.search) far.stream.write(Buffer.concat(operations.map((each) => message(id, each))))
    })

describe.each(drivers)('a directory through %s', (driver) => {
  it('PR-024 an empty password with a name is rejected locally, and so is an empty name', async () => {
    await using network = createSocketNetwork()
    const address = await network.serve(searching(result(0x65, 0)))
    for (const [user, secret] of [
      ['cn=app', ''],
      ['', password],
    ] as const) {
      const credentials = { kind: 'basic', user, password: createSecret(secret) } as const
      await expect(open(driver, address, { context: { credentials } })).rejects.toMatchObject({ code: 'DESTINATION_INVALID' })
      await using client = await open(driver, address)
      await expect(client.bind(user, createSecret(secret))).rejects.toMatchObject({ code: 'MESSAGE_INVALID' })
    }
    expect(network.accepted).toBe(0)
  })

  it('that is silent for longer than ldap.timeout is BACKEND_TIMEOUT, and its connection is closed', async () => {
    await using network = createSocketNetwork()
    const address = await network.serve((far) => onRequest(far, () => {}))
    await using client = await open(driver, address, { properties: { 'ldap.timeout': '80' } })
    await expect(client.ping(signal())).rejects.toMatchObject({ code: 'BACKEND_TIMEOUT' })
    await network.idle()
  })

  it('that is silent in the bind costs one deadline, and nothing stays open', async () => {
    await using network = createSocketNetwork()
    const address = await network.serve((far) => onRequest(far, () => {}))
    await using client = await open(driver, address, { properties: { 'ldap.connectTimeout': '80' }, context: { credentials: basic } })
    await expect(client.ping(signal())).rejects.toMatchObject({ code: expect.stringMatching(/DEADLINE_EXCEEDED|BACKEND_TIMEOUT/) })
    await network.idle()
  })

  it('PR-013 that resets behind the library is an error with the reset as its cause', async () => {
    await using network = createSocketNetwork()
    const address = await network.serve((far) => onRequest(far, () => far.reset()))
    await using client = await open(driver, address)
    await expect(client.ping(signal())).rejects.toMatchObject({ code: 'BACKEND_UNREACHABLE', cause: { code: 'ECONNRESET' } })
  })

  it('that closes idle connections is connected to again', async () => {
    await using network = createSocketNetwork()
    const ends: FarEnd[] = []
    const serve = searching(entry('cn=a', 'cn', 'a'), result(0x65, 0))
    const address = await network.serve((far) => {
      ends.push(far)
      serve(far)
    })
    await using client = await open(driver, address)
    await client.ping(signal())
    const closed = once(ends[0].stream, 'close')
    ends[0].stream.end()
    await closed
    await client.ping(signal())
    expect(ends).toHaveLength(2)
  })

  it('that sends a slow answer byte by byte is understood', async () => {
    await using network = createSocketNetwork()
    const address = await network.serve((far) =>
      onRequest(far, ({ id, operation }) => {
        if (operation !== tags.search) return
        const bytes = Buffer.concat([message(id, entry('cn=a', 'cn', 'a', 'b')), message(id, result(0x65, 0))])
        const next = (offset: number): void => {
          if (offset >= bytes.length) return
          far.stream.write(bytes.subarray(offset, offset + 1))
          setImmediate(() => next(offset + 1))
        }
        next(0)
      }),
    )
    await using client = await open(driver, address)
    expect(await Array.fromAsync(client.search())).toMatchObject([{ dn: 'cn=a', attributes: { cn: ['a', 'b'] } }])
  })

  it('that sends thousands of entries in one piece, with names that mean something to JavaScript, is understood', async () => {
    await using network = createSocketNetwork()
    const many = Array.from({ length: 6000 }, () => entry('', '__proto__', 'x'))
    await using client = await open(driver, await network.serve(searching(...many, result(0x65, 0))))
    const found = await Array.fromAsync(client.search())
    expect(found).toHaveLength(6000)
    expect(found[0]?.attributes['__proto__']).toEqual(['x'])
  })

  it.each([
    ['a password-modify answer that is none', result(0x78, 0, '', tlv(0x8b, Buffer.from('ffff', 'hex')))],
    ['a result code of the far future', result(0x78, 0x7f, 'later')],
    ['referrals by the dozen', result(0x78, 10, '', tlv(0xa3, ...Array.from({ length: 12 }, () => tlv(0x04, 'ldap://elsewhere'))))],
  ])('cannot bring the process down with %s', async (_what, answer) => {
    await using network = createSocketNetwork()
    const address = await network.serve((far) =>
      onRequest(far, ({ id, operation }) => void (operation === tags.extended && far.stream.write(message(id, answer)))),
    )
    await using client = await open(driver, address)
    const outcome = await client.exop('1.3.6.1.4.1.4203.1.11.1').then(
      ({ value }) => value?.toString('hex'),
      (error: unknown) => (ConnectivityError.is(error) ? error.details['resultCode'] : error),
    )
    expect(['ffff', 0x7f, 10]).toContain(outcome)
  })

  it('that ends the connection with notice is told from one that breaks', async () => {
    await using network = createSocketNetwork()
    const notice = result(0x78, 52, 'closing', tlv(0x8a, '1.3.6.1.4.1.1466.20036'))
    const address = await network.serve((far) => onRequest(far, () => far.stream.write(message(0, notice))))
    await using client = await open(driver, address)
    await expect(client.ping(signal())).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE', details: { resultCode: 52 } })
  })

  it('PR-029 that answers a bind with 49 is LOGON_REFUSED, and its name and text are kept', async () => {
    await using network = createSocketNetwork()
    const text = '80090308: LdapErr: DSID-0C090439, data 52e'
    const refusal = tlv(0x61, tlv(0x0a, Buffer.of(49)), tlv(0x04, 'ou=apps'), tlv(0x04, text))
    const address = await network.serve((far) => onRequest(far, ({ id }) => far.stream.write(message(id, refusal))))
    await using client = await open(driver, address, { context: { credentials: basic } })
    await expect(client.ping(signal())).rejects.toMatchObject({
      code: 'LOGON_REFUSED',
      message: expect.stringContaining('data 52e'),
      details: { resultCode: 49, matchedDn: 'ou=apps', diagnosticMessage: text },
    })
  })

  it('PR-008 that gives the password back shows it in no error', async () => {
    await using network = createSocketNetwork()
    const address = await network.serve((far) =>
      onRequest(far, ({ id }) => far.stream.write(message(id, result(0x61, 49, `not ${password}\r\n!`)))),
    )
    await using client = await open(driver, address, { context: { credentials: basic } })
    const error: unknown = await client.ping(signal()).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'LOGON_REFUSED', details: { resultCode: 49, diagnosticMessage: 'not [redacted]  !' } })
    expect(inspect(error, { depth: 20, showHidden: true }) + JSON.stringify(error)).not.toContain(password)
  })

  it.each([
    ['refuses it', (id: number) => message(id, result(0x78, 52, 'no TLS here')), 'SERVICE_UNAVAILABLE'],
    [
      'goes on in plain behind its answer',
      (id: number) => Buffer.concat([message(id, result(0x78, 0)), Buffer.of(0x30)]),
      'PROTOCOL_VIOLATION',
    ],
    ['answers something else', (id: number) => message(id, result(0x65, 0)), 'PROTOCOL_VIOLATION'],
    ['agrees and then speaks no TLS', (id: number) => message(id, result(0x78, 0)), 'PROTOCOL_VIOLATION'],
  ])('PR-028 that is asked for StartTLS and %s gets no bind, and its connection is closed', async (what, answer, code) => {
    await using network = createSocketNetwork()
    const received: Buffer[] = []
    const address = await network.serve(({ stream }) => {
      stream.on('error', () => {})
      stream.on('end', () => stream.end())
      stream.on('data', (chunk: Buffer) => {
        received.push(chunk)
        if (received.length === 1) stream.write(answer(1))
        else if (what.startsWith('agrees')) stream.write('HTTP/1.1 400 Bad Request\r\n\r\n')
      })
    })
    await using client = await open(driver, address, { properties: { 'ldap.startTls': 'true' }, context: { credentials: basic } })
    await expect(client.ping(signal())).rejects.toMatchObject({ code })
    expect(Buffer.concat(received).includes(password)).toBe(false)
    await network.idle()
  })

  it('PR-022 is dialled at port 389 without a port in the URL, and at 636 for ldaps', async () => {
    const dialled: Address[] = []
    const dial: Dial = async (address) => {
      dialled.push(address)
      throw new ConnectivityError('ACCESS_DENIED', 'denied by the test')
    }
    for (const url of ['ldap://Directory.virtual', 'ldaps://Directory.virtual']) {
      await using client = await open(driver, { host: 'unused', port: 1 }, { properties: { 'ldap.url': url }, context: { dial } })
      await expect(client.ping(signal())).rejects.toMatchObject({ code: 'ACCESS_DENIED' })
    }
    expect(dialled).toEqual([
      { host: 'Directory.virtual', port: 389 },
      { host: 'Directory.virtual', port: 636 },
    ])
  })
})

it('templates keep what is filled in a value', () => {
  expect(filterText`(&(uid=${'*)(uid=*'})(b=${Buffer.of(0, 255)}))`).toBe(String.raw`(&(uid=\2a\29\28uid=\2a)(b=\00\ff))`)
  expect(dnText`cn=${' #a,b+c '},dc=x`).toBe(String.raw`cn=\20#a\2cb\2bc\20,dc=x`)
})
