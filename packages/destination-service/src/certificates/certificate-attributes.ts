import { parseCertificationRequest } from '@sallyport/x509'
import { ConnectivityError } from '@sallyport/core'
import { maxCertificatePasswordLength, maxCommonNameLength, maxRequestCharacters, maxValidityValue } from '../limits.ts'
import { decodeBase64 } from './base64.ts'
import { type Validity, type ValidityUnit, validityUnits } from './validity.ts'

/** What a certificate to be generated shall be like. */
export interface CertificateAttributes {
  readonly commonName: string
  readonly validity: Validity
  readonly automaticRenew: boolean
  /** Protects the private key or the key store; empty for none. */
  readonly password: string
  /** PEM or DER of a certification request, whose key is certified. Base64, as it came. */
  readonly csr: string | undefined
}

/** Read attributes, or why they cannot be, as a sentence for the caller. */
export type AttributesVerdict =
  | { readonly valid: true; readonly attributes: CertificateAttributes }
  | { readonly valid: false; readonly problem: string }

const known = new Set(['CN', 'Validity', 'AutomaticRenew', 'Password', 'CSR'])
const printable = /^[^\p{Cc}\p{Zl}\p{Zp}]+$/u

/** Reads `Attributes` of a certificate to be generated. What is left out is as in the original's editor: the file name as CN, three months, no renewal. */
export function checkAttributes(value: unknown, options: { readonly fileName: string }): AttributesVerdict {
  const refuse = (problem: string): AttributesVerdict => ({ valid: false, problem })
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse('Attributes must be a JSON object')
  const given = value as Readonly<Record<string, unknown>>
  const stranger = Object.keys(given).find((key) => !known.has(key))
  if (stranger !== undefined) return refuse(`Attribute ${JSON.stringify(stranger.slice(0, 80))} is not one of ${[...known].join(', ')}`)

  const commonName = given['CN'] ?? options.fileName
  if (
    typeof commonName !== 'string' ||
    commonName.length > maxCommonNameLength ||
    !commonName.isWellFormed() ||
    !printable.test(commonName)
  ) {
    return refuse(`Attribute CN must have 1 to ${maxCommonNameLength} printable characters`)
  }
  const validity = readValidity(given['Validity'])
  if (typeof validity === 'string') return refuse(validity)
  const automaticRenew = readFlag(given['AutomaticRenew'])
  if (automaticRenew === undefined) return refuse('Attribute AutomaticRenew must be true or false')
  const password = given['Password'] ?? ''
  if (typeof password !== 'string' || password.length > maxCertificatePasswordLength || !password.isWellFormed()) {
    return refuse(`Attribute Password must be a string of at most ${maxCertificatePasswordLength} characters`)
  }
  const csr = given['CSR'] ?? undefined
  const problem = csr === undefined ? undefined : requestProblem(csr)
  if (problem !== undefined) return refuse(problem)
  return { valid: true, attributes: { commonName, validity, automaticRenew, password, csr: csr as string | undefined } }
}

function readValidity(value: unknown): Validity | string {
  if (value === undefined || value === null) return { unit: 'MONTHS', value: 3 }
  if (typeof value !== 'object' || Array.isArray(value)) return 'Attribute Validity must have a TimeUnit and a Value'
  const { TimeUnit: unit, Value: amount } = value as { readonly TimeUnit?: unknown; readonly Value?: unknown }
  if (!isUnit(unit)) return `Validity.TimeUnit must be one of ${validityUnits.join(', ')}`
  const number = typeof amount === 'string' && /^\d{1,6}$/.test(amount) ? Number(amount) : amount
  const most = maxValidityValue[unit]
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 1 || number > most) {
    return `Validity.Value must be a whole number from 1 to ${most} for ${unit}`
  }
  return { unit, value: number }
}

function isUnit(value: unknown): value is ValidityUnit {
  return (validityUnits as readonly unknown[]).includes(value)
}

function readFlag(value: unknown): boolean | undefined {
  if (value === undefined || value === null) return false
  const text = typeof value === 'boolean' || typeof value === 'string' ? String(value).toLowerCase() : ''
  return text === 'true' ? true : text === 'false' ? false : undefined
}

function requestProblem(csr: unknown): string | undefined {
  const bytes = typeof csr === 'string' && csr.length <= maxRequestCharacters ? decodeBase64(csr) : undefined
  if (bytes === undefined) return 'Attribute CSR must be the Base64 encoded text of a certification request'
  try {
    parseCertificationRequest(bytes)
    return undefined
  } catch (error) {
    if (!ConnectivityError.is(error, 'MESSAGE_INVALID')) throw error
    return `Attribute CSR cannot be used: ${error.message}`
  }
}
