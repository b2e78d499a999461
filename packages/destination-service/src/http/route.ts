import type { z } from 'zod'
import type { Answer } from './answer.ts'
import type { ServiceContext, ServiceRequest } from './service-request.ts'

/** A method and a path, and what answers there. Everything behind a route needs a token. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** `:name` stands for one segment, which is decoded. */
  readonly path: string
  readonly description: RouteDescription
  answer(request: ServiceRequest, context: ServiceContext, name: string): Promise<Answer>
}

/** What the API's document says of a route. Nothing is checked by it. */
export interface RouteDescription {
  /** The chapter it stands in. */
  readonly tag: string
  readonly summary: string
  /** Parameters and what they do. */
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: z.ZodType
  /** Answers to good requests by status. */
  readonly answers: Readonly<Record<number, { readonly description: string; readonly body?: z.ZodType }>>
  /** Refusals beside those that every route knows: 400, 401, 403, 500 and 503. */
  readonly refusals?: readonly RefusalStatus[]
}

/** The statuses with which a request is refused. */
export type RefusalStatus = 400 | 401 | 403 | 404 | 409 | 412 | 413 | 415 | 422 | 500 | 503

/** What they mean. */
export const refusalTexts: Readonly<Record<RefusalStatus, string>> = {
  400: 'The request cannot be meant like this; the sentence says why',
  401: 'The token is missing, expired or not trusted',
  403: 'The token does not give that right',
  404: 'There is none of that name',
  409: 'There is one of that name already',
  412: 'The configuration has another version than the ones named in If-Match',
  413: 'The body is too large',
  415: 'The body is not JSON',
  422: 'A token of an identity service cannot be used here',
  500: 'An internal error',
  503: 'The service or its store is not available at the moment',
}

/** What all paths of the API start with. */
export const apiRoot = '/destination-configuration'
