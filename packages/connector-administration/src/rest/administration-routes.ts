import type { Clock } from '@sallyport/core'
import type { FastifyInstance } from 'fastify'
import type { ConfigurationEditor } from '../document/configuration-editor.ts'
import { authorityLists } from './authority-lists.ts'
import { domainMappings } from './domain-mappings.ts'
import { resources } from './resources.ts'
import { backendTrust } from './backend-trust.ts'
import { connectorBasics } from './connector-basics.ts'
import { onPremisesCertificates, ownedCertificateRoutes } from './owned-certificates.ts'
import { principalPropagation } from './principal-propagation.ts'
import { type Authenticate, serveRoutes } from './route.ts'
import type { IsLocked } from './subaccount-path.ts'
import { systemMappings } from './system-mappings.ts'

/** What the routes of the administration work on. */
export interface AdministrationOptions {
  readonly editor: ConfigurationEditor
  /** Of the product. */
  readonly version: string
  readonly authenticate: Authenticate
  readonly clock: Clock
  /** Nothing is locked without it. */
  readonly isLocked?: IsLocked
}

/** The administration API, to be put on the administration listener: one file per section of the catalogue (cloud-connector.md §8). */
export function createAdministrationRoutes(options: AdministrationOptions): (server: FastifyInstance) => void {
  const { authenticate, editor } = options
  const access = { editor, clock: options.clock, isLocked: options.isLocked ?? (() => false) }
  const routes = [
    ...connectorBasics(options),
    ...systemMappings(access),
    ...resources(access),
    ...authorityLists(access),
    ...domainMappings(access),
    ...onPremisesCertificates.flatMap((place) => ownedCertificateRoutes(place, options)),
    ...backendTrust(editor),
    ...principalPropagation(options),
  ]
  return (server) => serveRoutes(server, routes, { authenticate, haRole: () => editor.document.connector.haRole })
}
