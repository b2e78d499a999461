import { ConnectivityError, foreignText } from '@sallyport/core'

/** What MIT's programs say, and what it means for the person who has to mend it. Without names: these texts go to the cloud side. */
type Reading = readonly (readonly [said: RegExp, problem: string])[]

const everywhere: Reading = [
  [
    /Cannot contact any KDC|Cannot resolve|unreachable|refused connection/i,
    'no KDC answers; check the hosts and ports of the Kerberos settings and the firewalls on the way',
  ],
  [/Clock skew/i, 'the clocks of this machine and of the KDC differ too much'],
  [
    /no support for encryption type|No supported encryption types|etype not supported/i,
    'the KDC does not take the encryption types of the Kerberos settings',
  ],
]

const ofServiceUser: Reading = [
  [
    /Preauthentication failed|Password incorrect|Decrypt integrity check/i,
    'the KDC does not accept the keytab of the service user; export it anew, its password may have changed',
  ],
  [/Client .*not found/i, 'the KDC does not know the service user'],
  [/Key table|suitable keys|keytab/i, 'the keytab has no key that fits the service user'],
  [/revoked|locked|expired/i, 'the service user is locked or has expired'],
]

const ofDelegation: Reading = [
  [/Client .*not found/i, 'the KDC does not know the user'],
  [/Server .*not found/i, 'the KDC knows no service HTTP/<internal host> for the backend'],
  [
    /can't fulfill requested option|policy rejects/i,
    'the KDC does not let the service user act for this user at this backend; check its constrained delegation with protocol transition, and that the user is not excepted from delegation',
  ],
  [/revoked|locked|expired/i, 'the user is locked or has expired'],
  [/^usage: kvno|unrecognized option|invalid option/im, 'kvno is too old; install MIT Kerberos 1.19 or newer'],
]

/** Why the service user was not logged on. */
export function serviceUserProblem(said: string): ConnectivityError {
  return problemOf([...everywhere, ...ofServiceUser], said)
}

/** Why there is no ticket for a user. */
export function delegationProblem(said: string): ConnectivityError {
  return problemOf([...everywhere, ...ofDelegation], said)
}

/** Whether a log-on of the service user that has worked once does not any more, so that another one may help. */
export function isStaleLogon(said: string): boolean {
  return /Ticket expired|not yet valid|No credentials cache|Matching credential not found|Request is a replay/i.test(said)
}

/** A program or package is not there, or something else that nobody gets a ticket without. */
export function missingProblem(what: string): ConnectivityError {
  return new ConnectivityError('PRINCIPAL_NOT_ISSUED', what, { details: { everybody: true } })
}

/** Whether an error is not about one user or backend: everybody else would get it too. */
export function isForEverybody(error: ConnectivityError): boolean {
  return error.details['everybody'] === true
}

function problemOf(readings: Reading, said: string): ConnectivityError {
  const reading = readings.find(([pattern]) => pattern.test(said))
  // Principals are personal; what is left of the sentence is for the log.
  const detail = foreignText(said.trim().replaceAll(/'[^'\n]*'|\S+@\S+|\bHTTP\/\S+/g, '…'))
  return new ConnectivityError('PRINCIPAL_NOT_ISSUED', reading?.[1] ?? 'Kerberos does not work; the log of the connector says why', {
    details: { kerberos: detail, everybody: reading !== undefined && everywhere.includes(reading) },
  })
}
