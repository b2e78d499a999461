import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import type { ConfigurationProblem } from '@sallyport/admin-api'
import { type Clock, ConnectivityError } from '@sallyport/core'
import {
  createCertificateIssuer,
  createPrincipalValidator,
  defaultSubjectRules,
  type LeafKey,
  parseSubjectPattern,
  type SubjectRule,
  type TrustList,
} from '@sallyport/principal-propagation'
import type { RouteHop } from '@sallyport/rfc-wire'
import { type CertificateAuthority, parsePemCertificates } from '@sallyport/x509'
import { createMappingTable } from '../access-control/mapping-table.ts'
import { type BackendTls, type CertificateMaterial, createBackendTls } from '../backend/backend-trust.ts'
import type { ConnectorState } from '../connector-state.ts'
import { createCookieDomains } from '../http/cookie-domains.ts'
import type { KerberosRealms } from '../kerberos/kerberos-realms.ts'
import { type ConnectorIdentity, materialName } from '../identity/connector-identity.ts'
import type { MaterialStore } from '../identity/material-store.ts'
import { createPrincipalHandling } from '../principal/principal-handling.ts'
import type { ConfigurationSource } from './configuration-source.ts'
import { readKerberosLogon } from './kerberos-logon.ts'
import { problemText, readCertificateReference } from './certificate-references.ts'
import type { ConnectorConfiguration } from './connector-configuration.ts'
import { readRoute } from './read-route.ts'

/** A state and what it was made from, so that the next one can keep what has not changed. */
export interface LoadedState {
  readonly state: ConnectorState
  readonly tlsDigest: string
  readonly principalDigest: string
}

/** Collaborators that outlive a state. */
export interface StateSurroundings {
  readonly identity: Pick<ConnectorIdentity, 'subaccount' | 'locationId' | 'connectorId'>
  readonly readFile: ConfigurationSource['readFile']
  readonly material: MaterialStore
  readonly trust: TrustList
  readonly leafKey: LeafKey
  readonly kerberos: Pick<KerberosRealms, 'of'>
  readonly clock: Clock
}

/**
 * Makes a configuration ready to decide: reads its certificates and builds its tables. Backend connections and issued certificates live on when what
 * they depend on has not changed.
 */
export async function loadState(
  configuration: ConnectorConfiguration,
  previous: LoadedState | undefined,
  surroundings: StateSurroundings,
): Promise<LoadedState | { readonly problems: readonly ConfigurationProblem[] }> {
  const { entry } = configuration
  const problems: ConfigurationProblem[] = []
  const attempt = async <T>(path: readonly (string | number)[], work: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await work()
    } catch (error) {
      problems.push({ path: [...configuration.path, ...path], message: problemText(error) })
      return undefined
    }
  }
  const { clock, identity, material, readFile } = surroundings
  const certificate = (
    reference: typeof entry.systemCertificate,
    purpose: 'principal-ca' | 'system',
    path: readonly string[],
  ): Promise<CertificateMaterial | undefined> | undefined =>
    reference === undefined
      ? undefined
      : attempt(path, () =>
          readCertificateReference(reference, {
            purpose,
            readFile,
            material,
            name: materialName(purpose, identity),
            commonName: `${identity.connectorId} ${purpose === 'system' ? 'system' : 'principal propagation CA'}`.slice(0, 64),
            clock,
          }),
        )

  const systemCertificate = await certificate(entry.systemCertificate, 'system', ['systemCertificate'])
  const authorities = await Promise.all(
    entry.backendTrust.authorities.map(({ file }, at) =>
      attempt(['backendTrust', 'authorities', at], async () => {
        const pem = await readFile(file)
        parsePemCertificates(pem)
        return pem
      }),
    ),
  )
  const ca = await certificate(entry.principalPropagation.ca, 'principal-ca', ['principalPropagation', 'ca'])
  const routes = new Map<string, readonly RouteHop[]>()
  for (const [at, { sapRouter }] of entry.mappings.entries()) {
    if (sapRouter === undefined || typeof sapRouter === 'string') continue
    await attempt(['mappings', at, 'sapRouter'], async () => {
      const hops = readRoute((await readFile(sapRouter.file)).trim())
      if ('problem' in hops) throw new ConnectivityError('CONFIGURATION_INVALID', hops.problem)
      routes.set(sapRouter.file, hops)
    })
  }
  const { kerberos: settings } = entry
  const logon = settings && (await attempt(['kerberos', 'keytab'], () => readKerberosLogon(settings, readFile)))
  if (problems.length > 0) return { problems }

  const tlsOptions = {
    authorities: authorities.filter((pem) => pem !== undefined),
    trustAll: entry.backendTrust.trustAll,
    verifyHostName: entry.backendTrust.verifyHostName,
    systemCertificate,
  }
  const tlsDigest = digestOf([tlsOptions, systemCertificate?.key.reveal()])
  const principalDigest = digestOf([entry.principalPropagation, ca?.certificate, ca?.key.reveal()])
  const tls = await attempt(['backendTrust'], (): BackendTls =>
    previous?.tlsDigest === tlsDigest ? previous.state.tls : createBackendTls(tlsOptions),
  )
  const principals = await attempt(['principalPropagation'], () =>
    previous?.principalDigest === principalDigest
      ? previous.state.principals
      : createPrincipalHandling({
          validator: createPrincipalValidator({
            trust: surroundings.trust,
            tenant: identity.subaccount,
            expirationToleranceHours: entry.principalPropagation.expirationToleranceHours,
            clock,
          }),
          issuer: createCertificateIssuer({
            authority: ca === undefined ? undefined : toAuthority(ca),
            rules: rulesOf(configuration),
            validityMinutes: entry.principalPropagation.validityMinutes,
            clock,
            leafKey: surroundings.leafKey,
          }),
        }),
  )
  if (tls === undefined || principals === undefined) return { problems }

  const table = createMappingTable(configuration.mappings)
  return {
    tlsDigest,
    principalDigest,
    state: {
      revision: (previous?.state.revision ?? 0) + 1,
      entry,
      table,
      cookies: createCookieDomains(entry.cookieDomains, table),
      auditLevel: entry.audit.level,
      tls,
      principals,
      kerberos: logon && surroundings.kerberos.of(logon),
      certificates: { system: parsed(systemCertificate), ca: parsed(ca) },
      routes,
      connectTimeoutMs: entry.backendConnectTimeoutSeconds * 1000,
      responseTimeoutMs: entry.backendResponseTimeoutSeconds * 1000,
    },
  }
}

function rulesOf({ entry: { principalPropagation } }: ConnectorConfiguration): readonly SubjectRule[] {
  const { rules, subjectPattern } = principalPropagation
  if (rules !== undefined) return rules.map(({ subject, when }) => ({ condition: when, pattern: parseSubjectPattern(subject) }))
  return subjectPattern === undefined ? defaultSubjectRules : [{ pattern: parseSubjectPattern(subjectPattern) }]
}

function parsed(material: CertificateMaterial | undefined): X509Certificate | undefined {
  return material === undefined ? undefined : new X509Certificate(material.certificate)
}

function toAuthority(material: CertificateMaterial): CertificateAuthority {
  const [certificate = Buffer.alloc(0)] = parsePemCertificates(material.certificate)
  return { certificate, privateKey: createPrivateKey(material.key.reveal()) }
}

function digestOf(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}
