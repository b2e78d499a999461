import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type ChannelOpening,
  type ControlFromConnector,
  type ControlFromServer,
  type ControlOpening,
  formatMessage,
  type PrincipalMessage,
  type StreamOpening,
  type TcpAnswer,
} from './messages.ts'
import {
  tryParseChannelOpening,
  tryParseControlFromConnector,
  tryParseControlFromServer,
  tryParseControlOpening,
  tryParsePrincipalMessage,
  tryParseStreamOpening,
  tryParseTcpAnswer,
} from './parse-messages.ts'

const base = { subaccount: 's', locationId: '', virtualHost: 'h', virtualPort: 443, correlationId: 'c' }
const principal = { kind: 'business', token: 'a.b.c' } as const
const openings: readonly StreamOpening[] = [
  { kind: 'http', ...base },
  { kind: 'http', ...base, principal },
  { kind: 'tcp', ...base, timeoutMs: 0 },
  { kind: 'tcp', ...base, timeoutMs: 0, application: 'sb-orders!t1' },
]
const channel = { kind: 'channel', serviceType: 'TCP', serviceId: 'database', correlationId: '', timeoutMs: 15_000 } as const
const channels: readonly ChannelOpening[] = [channel, { ...channel, serviceType: 'RFC', cluster: 'cp.example.org:443' }]
const principals: readonly PrincipalMessage[] = [
  { kind: 'principal', principal, correlationId: 'c' },
  { kind: 'principal', principal: null, correlationId: '' },
]
const answers: readonly TcpAnswer[] = [{ kind: 'connected' }, { kind: 'refused', code: 'ACCESS_DENIED', message: 'm' }]
const controls: readonly ControlOpening[] = [
  { kind: 'control', versions: [1], locationId: '', connectorId: 'x', agentVersion: '', description: '' },
]
const fromServer: readonly ControlFromServer[] = [
  { kind: 'welcome', version: 1, subaccount: 's', tunnelId: 't' },
  { kind: 'refused', code: 'LOCATION_TAKEN', message: 'm' },
  { kind: 'drain' },
  { kind: 'replaced' },
  { kind: 'trust-changed' },
  { kind: 'trust', issuers: [{ issuer: 'i', name: 'n', type: 'OIDC', keys: [{ kty: 'RSA' }] }], more: true },
  { kind: 'trust', issuers: [] },
  { kind: 'certificate', certificate: 'c', authorities: 'a' },
  { kind: 'certificate-refused', message: 'm' },
]
const fromConnector: readonly ControlFromConnector[] = [
  { kind: 'get-trust' },
  { kind: 'exposed', digest: 'd', systems: [{ protocol: 'HTTP', host: 'h:1', type: 't', description: '' }] },
  { kind: 'renew-certificate', request: 'r' },
]
const parsers = [
  ['stream openings', tryParseStreamOpening, openings],
  ['channel openings', tryParseChannelOpening, channels],
  ['principals', tryParsePrincipalMessage, principals],
  ['answers', tryParseTcpAnswer, answers],
  ['control openings', tryParseControlOpening, controls],
  ['messages of the server', tryParseControlFromServer, fromServer],
  ['messages of the connector', tryParseControlFromConnector, fromConnector],
] as const

describe('messages', () => {
  it.each(parsers)('reads the %s it can write, and drops members it does not know', (_, parse, messages) => {
    for (const message of messages) {
      expect(parse(formatMessage(message))).toEqual(message)
      expect(parse(Buffer.from(JSON.stringify({ ...message, future: 1, __proto__: null })))).toEqual(message)
    }
  })

  it.each(parsers)('answers undefined for %s with a member missing or of another kind', (_, parse, messages) => {
    for (const message of messages) {
      for (const member of Object.keys(message)) {
        if (member === 'more' || member === 'principal') continue
        const wrongs = member === 'cluster' || member === 'application' ? [7.5] : [undefined, 7.5]
        for (const wrong of [...wrongs, { a: 1 }, [{}], 'x'.repeat(17_000)]) {
          expect(
            parse(Buffer.from(JSON.stringify({ ...message, [member]: wrong }))),
            `${member} = ${JSON.stringify(wrong)?.slice(0, 20)}`,
          ).toBeUndefined()
        }
      }
    }
  })

  it('never throws on bytes or JSON of any kind', () => {
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc.json().map((text) => Buffer.from(text)),
      fc
        .tuple(
          fc.constantFrom('http', 'tcp', 'channel', 'control', 'welcome', 'trust', 'exposed', 'refused', 'principal'),
          fc.dictionary(fc.string(), fc.jsonValue()),
        )
        .map(([kind, members]) => Buffer.from(JSON.stringify({ kind, ...members }))),
    )
    fc.assert(
      fc.property(anything, (bytes) => {
        for (const [, parse] of parsers) expect(['object', 'undefined']).toContain(typeof parse(bytes))
      }),
      { numRuns: 500 },
    )
  })

  it('refuses a channel to no service, and to one of a type that it does not know', () => {
    expect(tryParseChannelOpening(formatMessage({ ...channel, serviceId: '' }))).toBeUndefined()
    expect(tryParseChannelOpening(Buffer.from(JSON.stringify({ ...channel, serviceType: 'UDP' })))).toBeUndefined()
  })

  it.each([0, 65_536, -1, 1.5])('refuses the virtual port %s', (virtualPort) => {
    expect(tryParseStreamOpening(formatMessage({ kind: 'http', ...base, virtualPort }))).toBeUndefined()
  })
})
