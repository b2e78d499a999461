import type { Contender } from '../contender.ts'

/** No tunnel at all: what the load tools and back ends can do. */
export const direct: Contender = {
  name: 'direct',
  carries: ['tcp'],
  missing: () => undefined,
  version: () => '',
  up: (site) => Promise.resolve({ front: site.target, ends: { cloud: undefined, connector: undefined } }),
}
