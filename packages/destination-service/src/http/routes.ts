import { identityRoutes } from '../access/identity-routes.ts'
import { certificateCollection } from '../certificates/certificate-collection.ts'
import { publicKeyRoutes } from '../certificates/public-keys.ts'
import { destinationCollection } from '../destinations/destination-collection.ts'
import { collectionRoutes } from '../entities/collection-routes.ts'
import { findRoutes } from '../find/find-routes.ts'
import { fragmentCollection } from '../fragments/fragment-collection.ts'
import { trustRoutes } from '../trust/trust-routes.ts'
import type { Route } from './route.ts'

/** Everything that needs a token. */
export const routes: readonly Route[] = [
  ...findRoutes,
  ...collectionRoutes(destinationCollection),
  ...collectionRoutes(fragmentCollection),
  ...collectionRoutes(certificateCollection),
  ...identityRoutes,
  ...publicKeyRoutes,
  ...trustRoutes,
]
