import { z } from 'zod'
import { fileReference, type FileReference } from './file-reference.ts'

/** One function module, or everything whose name begins so. */
export interface FunctionEntry {
  readonly name: string
  /** Admit every name that begins with this one. */
  readonly prefix: boolean
  readonly enabled: boolean
  readonly description: string
}

/** A user of one client of an ABAP system. */
export interface BlockedUserEntry {
  readonly client: string
  readonly user: string
}

/** What a mapping may have besides for RFC in its several forms. */
export interface RfcMappingEntry {
  /** What the mapping admits besides the functions that clients call by themselves; nothing when empty. */
  readonly functions: readonly FunctionEntry[]
  /** Reads which function a SOAP request calls, and holds it against `functions`. */
  readonly soapFunctionFilter: boolean
  /** Clients that may log on; all when empty. */
  readonly allowedClients: readonly string[]
  /** Who may not log on, although the client is allowed. */
  readonly blockedUsers: readonly BlockedUserEntry[]
  /** `/H/<host>[/S/<service>]` of every SAProuter on the way. A string with passwords stands in a file. */
  readonly sapRouter?: string | FileReference | undefined
  /** Of the gateway behind a port that does not tell it: two digits. */
  readonly systemNumber?: string | undefined
  /** Which application server a message server is asked for. */
  readonly logonGroup?: string | undefined
  /** Name of the backend in SNC, `p:<distinguished name>`. */
  readonly sncPartnerName?: string | undefined
  /** Lets SNC, or WebSocket RFC, pass. What is in it can neither be read nor decided. */
  readonly passUnread: boolean
  /** Lets the backend call functions of the application. */
  readonly allowCallbacks: boolean
  /** Takes only the form of INITIALIZE whose every field is known. */
  readonly strictInitialize: boolean
  /** 0: a conversation may be silent for ever. */
  readonly idleTimeoutSeconds: number
}

const functionEntry = z.strictObject({
  name: z
    .string()
    .regex(/^[!-~]{1,30}$/, 'is not the name of a function module: 1 to 30 printable characters without blanks')
    .describe('Name of a function module, case-sensitive'),
  prefix: z.boolean().default(false).describe('Admit every function module whose name begins so, not this one alone'),
  enabled: z.boolean().default(true).describe('A suspended function stays configured and admits nothing'),
  description: z.string().max(1024).default(''),
})

const client = z.string().regex(/^[0-9A-Z]{3}$/i, 'is not a client: three characters such as 100')

/** Keys of a mapping that are for the protocols of RFC. */
export const rfcMappingKeys: { readonly [Key in keyof RfcMappingEntry]-?: z.ZodType<RfcMappingEntry[Key]> } = {
  functions: z
    .array(functionEntry)
    .default([])
    .describe('Function modules that an rfc mapping admits, or a soapFunctionFilter; nothing when empty'),
  soapFunctionFilter: z.boolean().default(false).describe('Hold SOAP requests at /sap/bc/soap/rfc against functions'),
  allowedClients: z.array(client).default([]).describe('Clients of the ABAP system that may log on; all when empty'),
  blockedUsers: z
    .array(z.strictObject({ client, user: z.string().min(1).max(12) }))
    .default([])
    .describe('Users who may not log on, whatever allowedClients says'),
  sapRouter: z
    .union([z.string().min(1).max(4096), fileReference])
    .optional()
    .describe('Route string /H/host/S/service of the SAProuters on the way; with passwords only as a file'),
  systemNumber: z
    .string()
    .regex(/^\d\d$/, 'is not two digits')
    .optional()
    .describe('Instance number behind a port that is neither sapgwNN nor 33NN'),
  logonGroup: z
    .string()
    .regex(/^[!-~]{1,40}$/, 'is not a logon group: 1 to 40 printable characters')
    .optional()
    .describe('Logon group that a message server is asked for (default PUBLIC)'),
  sncPartnerName: z.string().max(1024).regex(/^p:\S/, 'is not p:<distinguished name>').optional().describe('SNC name of the backend'),
  passUnread: z.boolean().default(false).describe('Let SNC or WebSocket RFC pass, in which nothing can be decided'),
  allowCallbacks: z.boolean().default(false).describe('Let the backend call functions of the application'),
  strictInitialize: z.boolean().default(true).describe('Take only the studied form of INITIALIZE'),
  idleTimeoutSeconds: z.int().min(0).max(86_400).default(0).describe('Close a conversation that is silent for so long; 0: never'),
}
