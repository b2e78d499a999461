import { describe, expect, it } from 'vitest'
import { delegationProblem, isStaleLogon, serviceUserProblem } from './kerberos-problem.ts'

describe('what MIT Kerberos says', () => {
  it.each([
    [serviceUserProblem, 'kinit: Preauthentication failed while getting initial credentials', 'does not accept the keytab'],
    [
      serviceUserProblem,
      "kinit: Client 'svc@ACME.TEST' not found in Kerberos database while getting initial credentials",
      'does not know the service user',
    ],
    [serviceUserProblem, "kinit: Cannot contact any KDC for realm 'ACME.TEST' while getting initial credentials", 'no KDC answers'],
    [serviceUserProblem, 'kinit: Clock skew too great while getting initial credentials', 'clocks'],
    [serviceUserProblem, 'kinit: KDC has no support for encryption type while getting initial credentials', 'encryption types'],
    [serviceUserProblem, 'kinit: Keytab contains no suitable keys for svc@ACME.TEST while getting initial credentials', 'no key that fits'],
    [serviceUserProblem, "kinit: Client's credentials have been revoked while getting initial credentials", 'locked or has expired'],
    [
      delegationProblem,
      "kvno: KDC can't fulfill requested option HTTP/web@ACME.TEST: constrained delegation failed",
      'check its constrained delegation',
    ],
    [
      delegationProblem,
      'kvno: KDC policy rejects request HTTP/web@ACME.TEST: constrained delegation failed',
      'check its constrained delegation',
    ],
    [delegationProblem, 'kvno: Server HTTP/web@ACME.TEST not found in Kerberos database', 'knows no service HTTP/<internal host>'],
    [
      delegationProblem,
      'kvno: Client not found in Kerberos database while getting credentials for HTTP/web@ACME.TEST',
      'does not know the user',
    ],
    [delegationProblem, "kvno: unrecognized option '--out-cache'\nusage: kvno", 'kvno is too old'],
    [delegationProblem, 'kvno: something new about jane@ACME.TEST', 'the log of the connector says why'],
  ])('%o %j', (problemOf, said, expected) => {
    const { code, details, message } = problemOf(said)
    expect([code, message]).toEqual(['PRINCIPAL_NOT_ISSUED', expect.stringContaining(expected)])
    // Neither the caller nor the log learns the names in it.
    expect([message, details['kerberos']].join()).not.toMatch(/jane|svc|HTTP\/web|ACME/)
  })

  it('is told apart where another log-on may help', () => {
    expect(isStaleLogon('kvno: Ticket expired while getting credentials for HTTP/web@ACME.TEST')).toBe(true)
    expect(isStaleLogon("kvno: KDC can't fulfill requested option")).toBe(false)
  })
})
