/** Claims that name a principal, and some that do not name it, whatever it is called there. */
const claimsOf = {
  business: {
    naming: ['user_name', 'email', 'mail', 'user_uuid', 'sub'],
    others: { client_id: 'app', cid: 'app', azp: 'app' },
  },
  // What names a person does not name an application.
  technical: {
    naming: ['client_id', 'cid', 'sub', 'azp'],
    others: { user_name: 'jane', email: 'jane', grant_type: 'client_credentials' },
  },
} as const

/**
 * Claims of tokens, each without the claim that has named the principal of the one before (principal-propagation.md, PP-015 and PP-016): the name that counts,
 * and `undefined` for the last one, which has none left.
 */
export function namingClaims(
  kind: 'business' | 'technical',
): readonly { readonly claims: Readonly<Record<string, string>>; readonly name: string | undefined }[] {
  const { naming, others } = claimsOf[kind]
  return [...naming, undefined].map((first, index) => ({
    claims: { ...others, ...Object.fromEntries(naming.slice(index).map((claim) => [claim, `by-${claim}`])) },
    name: first === undefined ? undefined : `by-${first}`,
  }))
}
