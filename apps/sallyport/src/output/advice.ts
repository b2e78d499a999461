import { ConnectivityError, type ErrorCode } from '@sallyport/core'

/** What to do about an error whose own details do not say it; nothing when the message says it all. */
export function adviceFor(error: ConnectivityError): string | undefined {
  const own = error.details['next']
  if (typeof own === 'string') return own
  return general.find(({ code, text }) => error.code === code && text.test(error.message))?.next
}

const general: readonly { readonly code: ErrorCode; readonly text: RegExp; readonly next: string }[] = [
  { code: 'PAIRING_REFUSED', text: /pairing code is not valid/, next: 'have a new one made on the cloud side, with "connector code"' },
  {
    code: 'PAIRING_REFUSED',
    text: /not known or was revoked/,
    next: 'have a pairing code made on the cloud side, with "connector code"; then sallyport connector init',
  },
  { code: 'PAIRING_REFUSED', text: /too many attempts/, next: 'wait a minute, then try again with a new code' },
  {
    code: 'NOT_FOUND',
    text: /^there is no tenant/,
    next: 'name a subaccount of the configuration, or leave --tenant out for the first one',
  },
  {
    code: 'TOKEN_NOT_ISSUED',
    text: /no such tenant/,
    next: 'name a subaccount of the configuration, or leave --tenant out for the first one',
  },
  { code: 'NOT_FOUND', text: /has no user/, next: 'add it to the users of the subaccount in the configuration (subaccounts[].users)' },
  {
    code: 'DESTINATION_INVALID',
    text: /Property "Type"/,
    next: 'give one: Type=HTTP, RFC, LDAP, MAIL or TCP; sallyport destination set --help shows how',
  },
]

/**
 * Lets every command that a text suggests be typed as it stands: `sallyport` as it was called, with the folder that was named. Texts say `sallyport <command>`; what is to
 * be typed on another machine is not for this.
 *
 * @param data the value of `--data`, when it was given
 */
export function createSuggestions(command: string, data: string | undefined): (text: string) => string {
  const called =
    data === undefined
      ? command
      : `${command} --data ${/^[\w./:@%+=-]+$/.test(data) ? data : `'${data.replaceAll("'", String.raw`'\''`)}'`}`
  // A database may have this name as well: "connecting to the database sallyport on db.example:5432".
  return (text) => text.replaceAll(/(^|[\s"'(])sallyport (?=[a-z])(?!on )/gm, (_whole, before: string) => `${before}${called} `)
}
