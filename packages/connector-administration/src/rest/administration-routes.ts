import type { FastifyInstance } from 'fastify'
import type { ConfigurationEditor } from '../document/configuration-editor.ts'
import { connectorBasics } from './connector-basics.ts'
import { type Authenticate, serveRoutes } from './route.ts'

/** What the routes of the administration work on. */
export interface AdministrationOptions {
  readonly editor: ConfigurationEditor
  /** Of the product. */
  readonly version: string
  readonly authenticate: Authenticate
}

/** The administration API, to be put on the administration listener: one file per section of the catalogue (cloud-connector.md §8). */
export function createAdministrationRoutes(options: AdministrationOptions): (server: FastifyInstance) => void {
  const { authenticate, editor } = options
  const routes = [...connectorBasics(options)]
  return (server) => serveRoutes(server, routes, { authenticate, haRole: () => editor.document.connector.haRole })
}
