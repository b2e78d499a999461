import type { DialSubject } from '@sallyport/conformance'

export const typesOnly = 'it describes tests, which are run by those who call it'
export declare const startPeers: () => Promise<Omit<Awaited<ReturnType<DialSubject['open']>>, 'dial'>>
export declare const openDirectFarSide: DialSubject['open']
