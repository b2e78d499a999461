import type { DestinationRecord } from '@sallyport/admin-api'
import { ConnectivityError } from '@sallyport/core'
import type { TokenClaims } from '@sallyport/token-verifier'
import { maxSamlAttributeValues } from '../../limits.ts'
import { isTrue } from '../property-reading.ts'
import { selectByPath } from './json-path.ts'

/** A statement about the subject of an assertion. */
export interface SamlAttribute {
  readonly name: string
  readonly values: readonly string[]
}

/** Where XSUAA puts the groups of a user. */
const groupPaths: readonly string[] = ["$.['xs.system.attributes']['xs.saml.groups']", "$.['user_attributes']['xs.saml.groups']"]

/**
 * What an assertion says about the user: what the token service knows, the groups in the token, and what some targets want to hear about the client.
 *
 * @throws ConnectivityError `TOKEN_INVALID` when that is more than an assertion should hold.
 */
export function attributesOf(
  configuration: DestinationRecord,
  claims: TokenClaims,
  info: Readonly<Record<string, unknown>>,
): readonly SamlAttribute[] {
  const { user_attributes: own, ...others } = info
  const prefix = isTrue(configuration, 'skipUserAttributesPrefixInSAMLAttributes') ? '' : 'user_attributes.'
  const groups = new Set(groupPaths.flatMap((path) => (selectByPath(claims, path) ?? []).flatMap(textsOf)))
  const skipped = isTrue(configuration, 'skipUserUuidInSAMLAttributes') ? ['user_uuid', `${prefix}user_uuid`] : []
  const attributes = [
    ...membersOf(others, ''),
    ...membersOf(own, prefix),
    { name: 'Groups', values: [...groups] },
    { name: 'client_id', values: textsOf(configuration['clientKey'] || undefined) },
    { name: 'api_key', values: textsOf(configuration['apiKey'] || undefined) },
  ].filter(({ name, values }) => values.length > 0 && !skipped.includes(name))
  if (attributes.reduce((sum, { values }) => sum + values.length, 0) > maxSamlAttributeValues)
    throw new ConnectivityError('TOKEN_INVALID', `The user has more than ${maxSamlAttributeValues} attribute values`)
  return attributes
}

function membersOf(value: unknown, prefix: string): readonly SamlAttribute[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  return Object.entries(value).map(([name, member]) => ({ name: prefix + name, values: textsOf(member) }))
}

/** Lists become several values, objects their JSON text; what is not there is no value. */
function textsOf(value: unknown): readonly string[] {
  if (value === undefined || value === null) return []
  if (Array.isArray(value)) return value.flatMap((item) => (Array.isArray(item) ? [jsonOf(item)] : textsOf(item)))
  return [typeof value === 'string' ? value : jsonOf(value)]
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch {
    // What came as JSON can be too deep to be written as JSON.
    throw new ConnectivityError('TOKEN_INVALID', 'An attribute of the user is nested too deeply')
  }
}
