import { ConnectivityError } from '@sallyport/core'
import { type NameAttribute, parseName } from '@sallyport/x509'

/** What a certificate is made for, as far as its subject says so. */
interface SubjectFacts {
  readonly cn: string
  readonly subaccountId: string
  /** Makes the subject unlike any other, and stays when the certificate is renewed. */
  readonly id: string
  readonly landscape: string
}

/** Makes the subject of a certificate. */
export type SubjectTemplate = (facts: SubjectFacts) => NameAttribute[]

/** Modelled on the original's subjects: whose certificate it is can be read from it, and no two are the same. */
export const defaultSubjectTemplate = 'CN=${cn},L=${landscape}/${subaccountId},OU=${id},OU=Destination Certificates,O=Sallyport'

const placeholder = /\$\{(\w*)\}/g
const names = ['cn', 'subaccountId', 'id', 'landscape'] as const satisfies readonly (keyof SubjectFacts)[]

/**
 * Reads a template: a distinguished name with `${cn}`, `${subaccountId}`, `${id}` and `${landscape}`. The name is taken apart before values are put in, so
 * that no value can add an attribute.
 *
 * @throws ConnectivityError `CONFIGURATION_INVALID` for anything else.
 */
export function parseSubjectTemplate(template: string): SubjectTemplate {
  const attributes = readName(template)
  for (const { value } of attributes) {
    for (const [, name] of value.matchAll(placeholder)) {
      if (!isFact(name)) throw invalid(template, `"${name}" is none of ${names.join(', ')}`)
    }
  }
  if (!attributes.some(({ value }) => value.includes('${cn}'))) throw invalid(template, 'it lacks ${cn}, which is what users choose')
  return (facts) =>
    attributes.map(({ type, value }) => ({
      type,
      value: value.replaceAll(placeholder, (whole, name: string) => (isFact(name) ? facts[name] : whole)),
    }))
}

function readName(template: string): readonly NameAttribute[] {
  try {
    return parseName(template)
  } catch (cause) {
    throw invalid(template, cause instanceof Error ? cause.message : 'it is no distinguished name')
  }
}

function isFact(name: string | undefined): name is keyof SubjectFacts {
  return (names as readonly (string | undefined)[]).includes(name)
}

function invalid(template: string, why: string): ConnectivityError {
  return new ConnectivityError('CONFIGURATION_INVALID', `the subject of generated certificates cannot be "${template}": ${why}`)
}
