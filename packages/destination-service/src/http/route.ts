import type { Answer } from './answer.ts'
import type { ServiceContext, ServiceRequest } from './service-request.ts'

/** A method and a path, and what answers there. Everything behind a route needs a token. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** `:name` stands for one segment, which is decoded. */
  readonly path: string
  answer(request: ServiceRequest, context: ServiceContext, name: string): Promise<Answer>
}

/** What all paths of the API start with. */
export const apiRoot = '/destination-configuration'
