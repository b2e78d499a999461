import type { Logger } from '@sallyport/core'
import type { FastifyInstance } from 'fastify'
import type { DestinationInstances } from '../access/destination-instances.ts'
import { serve } from '../http/serve-route.ts'
import type { AdministrationContext } from './administration-context.ts'
import { admitAdministrator, type Administrator } from './administrator.ts'
import { administrationRoutes } from './routes.ts'

/** Adds the administration for people. */
export function serveAdministration(
  app: FastifyInstance,
  deps: {
    readonly context: AdministrationContext
    readonly instances: DestinationInstances
    readonly log: Logger
  },
): void {
  const { context, instances, log } = deps
  const { verifier, clock } = context
  const { applications } = context.administration
  for (const { method, path, description, answer } of administrationRoutes) {
    serve<Administrator>(app, {
      method,
      path,
      description,
      clock,
      log,
      admit: ({ authorization }) => admitAdministrator(authorization, { verifier, instances, applications }),
      answer: (administrator, request, parameters) => answer({ ...request, administrator }, context, parameters),
    })
  }
}
