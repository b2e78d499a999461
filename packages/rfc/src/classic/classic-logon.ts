import { ConnectivityError, type Credentials, type RfcDestination, type Secret } from '@sallyport/core'
import { maxPasswordBytes } from '../limits.ts'
import { sapLanguage } from './language.ts'

/** Who logs on. */
export interface ClassicLogon {
  /** Three digits. */
  readonly client: string
  /** Upper case, at most 12 characters. */
  readonly user: string
  readonly password: Secret
  /** SAP's code of one character. */
  readonly language: string
}

/** A system without a default of the caller's talks English. */
const defaultLanguage = 'E'

/**
 * Takes from a destination what a logon with user and password needs.
 *
 * @throws ConnectivityError `DESTINATION_INVALID` naming the property that this binding has no use for, or that is missing.
 */
export function parseClassicLogon(destination: RfcDestination, credentials: Credentials): ClassicLogon {
  const { logon, authentication, secureNetwork, codePage } = destination
  const invalid = (what: string): ConnectivityError => invalidDestination(destination, what)
  const elsewhere = 'the binding classic cannot do that; use node-rfc'
  if (authentication !== 'CONFIGURED_USER' || credentials.kind === 'principal') {
    throw invalid(`jco.destination.auth_type ${authentication}: the binding classic logs on with a user and a password; use soap`)
  }
  if (secureNetwork !== undefined) throw invalid(`jco.client.snc_mode is 1; ${elsewhere}`)
  if (logon.aliasUser !== undefined) throw invalid(`jco.client.alias_user is set; ${elsewhere}`)
  if (logon.ticket !== undefined) throw invalid(`jco.client.mysapsso2 is set; ${elsewhere}`)
  if (logon.certificate !== undefined) throw invalid(`jco.client.x509cert is set; ${elsewhere}`)
  if (logon.externalId !== undefined) throw invalid(`jco.client.extid_type is set; ${elsewhere}`)
  if (codePage !== '1100') throw invalid(`jco.client.codepage is ${codePage}; the binding classic has 1100 alone`)
  if (credentials.kind !== 'basic') throw invalid('jco.client.user and jco.client.passwd are missing')
  return parseUser(destination, credentials.user, credentials.password)
}

/** The logon with which a destination reads descriptions; `undefined` if it names no user for that. */
export function parseRepositoryLogon(destination: RfcDestination): ClassicLogon | undefined {
  const { user, password } = destination.repository
  return user === undefined || password === undefined ? undefined : parseUser(destination, user, password)
}

function parseUser(destination: RfcDestination, user: string, password: Secret): ClassicLogon {
  const invalid = (what: string): ConnectivityError => invalidDestination(destination, what)
  const { client } = destination.logon
  if (client === undefined) throw invalid('jco.client.client is missing')
  const language = sapLanguage(destination.logon.language ?? defaultLanguage)
  if (language === undefined) throw invalid('jco.client.lang is a language whose code the binding classic does not know')
  const name = user.toUpperCase()
  if (!/^[\x21-\x7e](?:[\x20-\x7e]{0,10}[\x21-\x7e])?$/.test(name))
    throw invalid('jco.client.user is not 1 to 12 printable ASCII characters')
  const plain = password.reveal()
  if (plain.length > maxPasswordBytes || !/^[\x20-\x7e]+$/.test(plain)) {
    throw invalid(`jco.client.passwd is not 1 to ${maxPasswordBytes} printable ASCII characters, and the binding classic sends no others`)
  }
  return { client, user: name, password, language }
}

/** An error of the destination's properties. */
export function invalidDestination({ name }: RfcDestination, what: string): ConnectivityError {
  return new ConnectivityError('DESTINATION_INVALID', `destination "${name}": ${what}`, { details: { destination: name } })
}
