import { ConnectivityError } from '@sallyport/core'
import { describe, expect, it } from 'vitest'
import { adviceFor, createSuggestions } from './advice.ts'
import { createPrinter } from './printer.ts'

describe('suggested commands', () => {
  it.each([
    ['sallyport', undefined, 'run "sallyport db status"', 'run "sallyport db status"'],
    ['sallyport', 'd1', 'run "sallyport db status"', 'run "sallyport --data d1 db status"'],
    ['node dist/main.js', 'd1', 'sallyport stop', 'node dist/main.js --data d1 stop'],
    ['sallyport', "it's here", 'try: sallyport stop', String.raw`try: sallyport --data 'it'\''s here' stop`],
    ['sallyport', 'd1', 'connecting to the database sallyport on db:5432', 'connecting to the database sallyport on db:5432'],
    ['sallyport', 'd1', 'see sallyport.yaml and sallyport-destination', 'see sallyport.yaml and sallyport-destination'],
    [
      'sallyport',
      'd1',
      'sallyport connector code there, then sallyport connector init',
      'sallyport --data d1 connector code there, then sallyport --data d1 connector init',
    ],
  ])('called as %j with --data %j: %j becomes %j', (command, data, text, expected) => {
    expect(createSuggestions(command, data)(text)).toBe(expected)
  })

  it('stand in results, errors and notes alike, as text and as JSON', () => {
    const said: string[] = []
    const out = { write: (text: string) => said.push(text) }
    const error = new ConnectivityError('NOT_FOUND', 'none', { details: { next: 'sallyport dev' } })
    for (const json of [false, true]) {
      const printer = createPrinter({ json, stdout: out, stderr: out, colour: false, suggest: createSuggestions('sallyport', 'd1') })
      printer.error(error)
      printer.line('sallyport status')
      printer.note('sallyport stop')
      printer.result({}, () => 'sallyport open')
    }
    expect(said.join('').match(/sallyport (?!--data d1)/g)).toBeNull()
    expect(said.join('').match(/sallyport --data d1/g)).toHaveLength(5)
  })
})

describe('advice', () => {
  it.each([
    ['PAIRING_REFUSED', 'pairing: the pairing code is not valid: it is mistyped', 'connector code'],
    [
      'PAIRING_REFUSED',
      'pairing: the present certificate is not known or was revoked; pair the connector again',
      'sallyport connector init',
    ],
    ['NOT_FOUND', 'there is no tenant "nope"', '--tenant'],
    ['TOKEN_NOT_ISSUED', 'the token service refused a token for client x: There is no such tenant', '--tenant'],
    ['NOT_FOUND', 'tenant "demo" has no user "nobody"', 'subaccounts[].users'],
    ['DESTINATION_INVALID', 'creating: answered 400 "Property "Type" must be one of HTTP, RFC"', 'Type=HTTP'],
  ] as const)('for %s "%s" says %s', (code, message, next) => {
    expect(adviceFor(new ConnectivityError(code, message))).toContain(next)
  })

  it('is what the error itself says, where it does', () => {
    expect(adviceFor(new ConnectivityError('PAIRING_REFUSED', 'the pairing code is not valid', { details: { next: 'mine' } }))).toBe('mine')
    expect(adviceFor(new ConnectivityError('NOT_FOUND', 'something else'))).toBeUndefined()
  })
})
