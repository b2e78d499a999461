import { createSecret, type Secret } from '@sallyport/core'

export const typesOnly = 'there is no proxy behind the names of an example'
export const tokens = { get: (_options: { readonly signal: AbortSignal }): Promise<Secret> => Promise.resolve(createSecret('token')) }
