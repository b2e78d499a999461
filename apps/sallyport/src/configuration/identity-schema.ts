import { z } from 'zod'

/** What is said of everybody beside our token service whose tokens are believed. */
interface IssuerEntry {
  /** Claim `iss`, exactly. */
  readonly issuer: string
  readonly keysUrl: string
  /** As administrators read it in the trust list of a connector. */
  readonly name?: string | undefined
  /** Subaccounts that trust it; all unless given. */
  readonly subaccounts?: readonly string[] | undefined
  /** It stands in the trust lists of connectors, which log its users on to systems. */
  readonly propagatesUsers: boolean
}

/** An identity service: its applications may use service instances, its users may be propagated. */
export interface IdentityServiceEntry extends IssuerEntry {
  readonly applications: readonly { readonly clientId: string; readonly consumedServices: readonly string[] }[]
}

/** A corporate identity provider: the token service takes its tokens as assertions. */
export interface IdentityProviderEntry extends IssuerEntry {
  readonly origin: string
  readonly audiences: readonly string[]
  readonly nameClaim: string
  readonly groupsClaim?: string | undefined
  readonly attributeClaims: readonly string[]
  readonly embedToken: boolean
}

const issuerKeys = {
  issuer: z.url().max(2048).describe('Claim iss of its tokens'),
  keysUrl: z.url({ protocol: /^https$/ }).describe('Where its public keys are'),
  name: z.string().min(1).max(200).optional().describe('Name in the trust lists of connectors; the issuer unless given'),
  subaccounts: z.array(z.string().min(1)).optional().describe('Subaccounts that trust it; all unless given'),
  propagatesUsers: z
    .boolean()
    .default(false)
    .describe('It stands in the trust lists of connectors, which then log users of its tokens on to systems'),
}

const claim = z.string().min(1).max(200)

export const identityServiceSchema: z.ZodType<IdentityServiceEntry> = z.strictObject({
  ...issuerKeys,
  applications: z
    .array(
      z.strictObject({
        clientId: z.string().min(1),
        consumedServices: z
          .array(z.string().min(1))
          .describe('Names of the service instances that it consumes: sallyport-destination, sallyport-connectivity'),
      }),
    )
    .max(1_000)
    .default([]),
})

export const identityProviderSchema: z.ZodType<IdentityProviderEntry> = z.strictObject({
  ...issuerKeys,
  origin: z
    .string()
    .regex(/^[A-Za-z0-9][\w.-]{0,99}$/, 'letters, digits, dots, hyphens and underscores')
    .describe('Claim origin of users that come from there'),
  audiences: z.array(z.string().min(1).max(2048)).min(1).max(100).describe('One of these has to be in aud of its tokens'),
  nameClaim: claim.default('email').describe('The claim that becomes user_name; one that users cannot choose'),
  groupsClaim: claim.optional().describe('The claim with the groups of the user'),
  attributeClaims: z.array(claim).max(100).default([]).describe('Claims that become user attributes'),
  embedToken: z
    .boolean()
    .default(false)
    .describe('Tokens of its users carry the token of the provider along, and connectors propagate whom that names; needs propagatesUsers'),
})
