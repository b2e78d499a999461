import type { Address, Dial } from '@sallyport/core'

export const typesOnly = 'it needs a directory with TLS'
export const address: Address = { host: 'directory.virtual', port: 636 }
export const dial: Dial = () => Promise.reject(new Error('nobody is there'))
export const signal: AbortSignal = AbortSignal.timeout(10_000)
