import { randomUUID } from 'node:crypto'
import { isIP } from 'node:net'
import { type AuditSink, type Clock, ConnectivityError, type Logger, type OpenSockets, silentLogger, trackSockets } from '@sallyport/core'
import type { TokenVerifier } from '@sallyport/token-verifier'
import type { FastifyInstance } from 'fastify'
import type { AuthenticationSettings } from './authentication/flow.ts'
import { createAuthenticator } from './authentication/authenticator.ts'
import type { Administration } from './administration/administration-context.ts'
import type { IdentityTrust } from './access/admit-identity-client.ts'
import { createCertificateAuthority } from './certificates/certificate-authority.ts'
import { createCertificateUpkeep, type UpkeepReport } from './certificates/certificate-upkeep.ts'
import type { ExpiryNotifier } from './certificates/expiry-event.ts'
import { createCertificateGenerator } from './certificates/generated-certificate.ts'
import { defaultSubjectTemplate, parseSubjectTemplate } from './certificates/subject-template.ts'
import type { DestinationInstance, DestinationInstances } from './access/destination-instances.ts'
import { cacheIdentityRelations } from './access/identity-relations.ts'
import type { EntityRepository } from './entities/entity-repository.ts'
import { createAnswerTexts } from './find/answer-texts.ts'
import { createHttpApp, type ListenerTls } from './http/http-app.ts'
import type { ServiceRequest } from './http/service-request.ts'
import { applyInstanceParameters, type ParametersOutcome } from './instance-parameters/apply-instance-parameters.ts'
import { createKeyPairs } from './keys/key-pairs.ts'
import type { KeyRepositories } from './keys/key-repositories.ts'
import { defaultRsaBits, maxConnections, maxPerSubaccount, shutdownGraceMs } from './limits.ts'
import { createTrust } from './trust/trust.ts'
import type { Outgoing } from './authentication/outgoing.ts'

/** What the service is made of. */
export interface DestinationServiceOptions {
  readonly repository: EntityRepository
  /** Where keys of the service itself are kept. */
  readonly keys: KeyRepositories
  /** Must trust the token service only: a token of any other issuer could name whatever client it likes. */
  readonly verifier: TokenVerifier
  readonly instances: DestinationInstances
  /**
   * Identity services whose applications may call too, with the certificate that their token is bound to. Which instance they consume is asked once and
   * remembered. Absent: tokens of the token service only.
   */
  readonly identity?: IdentityTrust
  /** The administration for people below `/admin/v1`, with their roles. Absent: none. */
  readonly administration?: Administration
  /** How token services are called. */
  readonly outgoing: Outgoing
  readonly clock: Clock
  /** Silent unless given. */
  readonly log?: Logger
  /** Receives every change of a destination; without one, changes are only logged. While it fails, nothing can be changed. */
  readonly audit?: AuditSink
  /** `strict` (the default, as in the original's editor) admits letters, digits, `_` and `-` in names; otherwise any printable character. */
  readonly names?: { readonly strict: boolean }
  /** How authentication types behave where installations differ. Unless told user tokens are exchanged in two steps, and a `Common` token service needs the header X-tenant. */
  readonly authentication?: Partial<Omit<AuthenticationSettings, 'landscape'>>
  /** The name of the installation in certificates and in assertions, such as `eu10.example.com`. Targets know us by it, so it must never change. */
  readonly landscape: string
  readonly certificates?: {
    /** Of every key that is made here; 4,096 unless told, as the original's. */
    readonly rsaBits?: number
    /** Subject of generated certificates, with `${cn}`, `${subaccountId}`, `${id}` and `${landscape}`. */
    readonly subject?: string
    /** Is told of certificates that end soon and are not renewed; without one, that is audited and logged only. */
    readonly notifier?: ExpiryNotifier
  }
  readonly limits?: {
    /** Destinations, fragments and certificates of one subaccount, each counted by itself; 1,000 unless told, as documented by the original. */
    readonly perSubaccount?: number
  }
}

/** Where the service answers. */
export interface ListenOptions {
  /** An address, not a name: which of a name's addresses would be listened on is nobody's guess. */
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
  readonly tls?: ListenerTls
  /** Without TLS only loopback addresses are listened on, unless this says that something in front of the service does TLS. */
  readonly allowPlainHttp?: boolean
}

/** A destination service; it owns its listener and the token calls under way, and nothing that was handed to it. */
export interface DestinationService {
  /** Starts to answer and returns the address. May be called once. */
  listen(options: ListenOptions): Promise<{ readonly host: string; readonly port: number }>
  /** Where it listens; `undefined` before and after. */
  readonly address: { readonly host: string; readonly port: number } | undefined
  /** Looks at all certificates now, as happens every hour while the service listens: renews what is due, tells what ends soon. */
  maintainCertificates(): Promise<UpkeepReport>
  /**
   * Carries out the parameters of an instance for whoever makes and changes instances, and remembers their digest; `user` is for the audit. A refusal is an
   * outcome.
   *
   * @throws ConnectivityError `CONFIGURATION_INVALID` when the service has no administration.
   */
  applyInstanceParameters(instance: DestinationInstance, parameters: unknown, user: string): Promise<ParametersOutcome>
  /** Accepts nothing new, lets requests in flight finish for up to ten seconds, then ends them. May be called at any time and more than once. */
  close(): Promise<void>
}

/** Puts the service together; it answers once `listen` is called. */
export function createDestinationService(options: DestinationServiceOptions): DestinationService {
  const { repository, keys, verifier, instances, clock, outgoing, landscape, log = silentLogger } = options
  const relations = options.identity && cacheIdentityRelations(options.identity.relations, { clock })
  const identity = options.identity && relations && { ...options.identity, relations }
  const authenticator = createAuthenticator({
    outgoing,
    verifier,
    clock,
    settings: { landscape, userTokenExchange: 'two-step', tenantOfTechnicalTokens: 'header', ...options.authentication },
  })
  const keyPairs = createKeyPairs({ rsaBits: options.certificates?.rsaBits ?? defaultRsaBits })
  const certificates = createCertificateGenerator({
    landscape,
    authority: createCertificateAuthority({ landscape, authorities: keys.authorities, keyPairs, clock }),
    keyPairs,
    subjectOf: parseSubjectTemplate(options.certificates?.subject ?? defaultSubjectTemplate),
    clock,
  })
  const upkeep = createCertificateUpkeep({
    repository,
    generator: certificates,
    notices: keys.notices,
    notifier: options.certificates?.notifier,
    audit: options.audit,
    clock,
    log,
  })
  const context = {
    repository,
    forgetIdentityRelations: (subaccountId: string): void => relations?.forget(subaccountId),
    authenticator,
    certificates,
    upkeep,
    trust: createTrust({ landscape, repository: keys.trust, keyPairs, clock }),
    verifier,
    clock,
    audit: options.audit,
    answerTexts: createAnswerTexts(),
    strictNames: options.names?.strict ?? true,
    maxPerSubaccount: options.limits?.perSubaccount ?? maxPerSubaccount,
  }
  let app: FastifyInstance | undefined
  let sockets: OpenSockets | undefined
  let address: DestinationService['address']
  let closed: Promise<void> | undefined

  async function shutDown(): Promise<void> {
    address = undefined
    const cancel = clock.after(shutdownGraceMs, () => {
      authenticator.close()
      sockets?.destroyAll()
    })
    await Promise.all([app?.close(), upkeep.close()])
    cancel()
    authenticator.close()
    log.info({}, 'destination service closed')
  }

  return {
    async listen({ host, port, tls, allowPlainHttp = false }) {
      if (app !== undefined || closed !== undefined)
        throw new ConnectivityError('CONFIGURATION_INVALID', 'the destination service listens already, or is closed')
      if (isIP(host) === 0)
        throw new ConnectivityError('CONFIGURATION_INVALID', `the destination service cannot listen on "${host}": it is not an address`)
      if (tls === undefined && !allowPlainHttp && !isLoopback(host)) {
        throw new ConnectivityError('CONFIGURATION_INVALID', `the destination service must not listen on ${host} without TLS`)
      }
      app = createHttpApp(context, { instances, identity, administration: options.administration, log, tls })
      app.server.maxConnections = maxConnections
      sockets = trackSockets(app.server, (error) =>
        log.error({ reason: error.message }, 'the destination service failed to accept a connection'),
      )
      try {
        await app.listen({ host, port })
      } catch (cause) {
        await app.close()
        throw listenError(`${host}:${port}`, cause)
      }
      const bound = app.server.address()
      address = { host, port: typeof bound === 'object' && bound !== null ? bound.port : port }
      upkeep.start()
      log.info({ host, port: address.port, tls: tls !== undefined }, 'destination service listens')
      return address
    },
    get address() {
      return address
    },
    async applyInstanceParameters(instance, parameters, user) {
      const settings = options.administration?.settings
      if (settings === undefined)
        throw new ConnectivityError('CONFIGURATION_INVALID', 'the destination service keeps no settings of instances')
      const { subaccountId } = instance
      const request: ServiceRequest = {
        caller: { subaccountId, instance, isProvider: true, user, tokenKind: 'XSUAA' },
        headers: {},
        query: new URLSearchParams(),
        body: parameters,
        correlationId: randomUUID(),
        log,
      }
      return applyInstanceParameters(request, { ...context, settings }, parameters, { remembered: true })
    },
    maintainCertificates: () => upkeep.run(),
    close() {
      closed ??= shutDown()
      return closed
    },
  }
}

function isLoopback(host: string): boolean {
  return host === '::1' || host.startsWith('127.')
}

function listenError(where: string, cause: unknown): ConnectivityError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (code === 'EADDRINUSE')
    return new ConnectivityError('PORT_IN_USE', `the destination service cannot listen on ${where}: the port is in use`, { cause })
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new ConnectivityError('CONFIGURATION_INVALID', `the destination service cannot listen on ${where}: ${reason}`, { cause })
}
