import type { ConnectorTraces, LinkTraces } from './connector-traces.ts'

const nothing: LinkTraces = { traffic: undefined, snc: undefined, cpic: undefined, tls: undefined }

/** Traces nothing. */
export const noTraces: Pick<ConnectorTraces, 'of'> = { of: () => nothing }
