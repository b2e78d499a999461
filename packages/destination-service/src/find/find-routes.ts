import { apiRoot, type Route } from '../http/route.ts'
import { consumeDestination, findDestination } from './find-destination.ts'

/** Find, and consume with a level. */
export const findRoutes: readonly Route[] = [
  { method: 'GET', path: `${apiRoot}/v1/destinations/:name`, answer: findDestination },
  { method: 'GET', path: `${apiRoot}/v2/destinations/:name`, answer: consumeDestination },
]
