/** Kinds of refusal that the original names in `type`. */
export type RestErrorType =
  | 'INVALID_REQUEST'
  | 'ILLEGAL_STATE'
  | 'NOT_FOUND'
  | 'INVALID_CONFIGURATION'
  | 'RUNTIME_FAILURE'
  | 'SHADOW_UPDATE'
  | 'FORBIDDEN_REQUEST'

/** A refusal of the REST API, answered as `{"type":…,"message":…}` (cloud-connector.md §8.1), with `next` beside them where there is something to be done. */
export class RestError extends Error {
  readonly status: number
  readonly type: RestErrorType
  /** What to do about it. */
  readonly next: string | undefined

  constructor(status: number, type: RestErrorType, message: string, next?: string) {
    super(message)
    this.name = 'RestError'
    this.status = status
    this.type = type
    this.next = next
  }
}

/** 400: a value is missing, malformed or not allowed here. */
export function invalidRequest(message: string): RestError {
  return new RestError(400, 'INVALID_REQUEST', message)
}

/** 403: the role, or the state of the installation, does not allow it. */
export function forbidden(message: string): RestError {
  return new RestError(403, 'FORBIDDEN_REQUEST', message)
}

/** 404: the entity does not exist. */
export function notFound(message: string): RestError {
  return new RestError(404, 'NOT_FOUND', message)
}

/** 409: the state of an entity is in the way. */
export function conflict(message: string, type: 'ILLEGAL_STATE' | 'INVALID_CONFIGURATION' = 'ILLEGAL_STATE'): RestError {
  return new RestError(409, type, message)
}

/** What the original says to whoever still has the password of the installation. */
export const passwordChangeNeeded = 'operation unavailable unless initial password is changed'
