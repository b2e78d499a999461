import { backendProtocols, backendTypes, connectorEntrySchema, type MappingEntry, principalTypes } from '@sallyport/admin-api'
import type { readMappingEntry } from '@sallyport/connector-administration'
import { type Command, Option } from 'commander'
import { usageError } from '../output/exit-code.ts'

/** What can be said about a mapping besides its two addresses. */
export interface MappingOptions {
  readonly backendType?: MappingEntry['backendType']
  readonly principal?: NonNullable<MappingEntry['principalType']>
  readonly hostInHeader?: 'virtual' | 'internal'
  readonly description?: string
  readonly sid?: string
  readonly sapRouter?: string
  readonly sncPartner?: string
  readonly allowedClient?: readonly string[]
  readonly blockedUser?: readonly string[]
}

/** Adds the options. */
export function addMappingOptions(command: Command): Command {
  const several = (word: string, words: readonly string[] = []): readonly string[] => [...words, word]
  return command
    .addOption(new Option('--backend-type <type>', 'kind of backend').choices([...backendTypes]))
    .addOption(new Option('--principal <type>', 'whether and how users are logged on').choices([...principalTypes]))
    .addOption(new Option('--host-in-header <host>', 'which host the backend reads').choices(['virtual', 'internal']))
    .option('--description <text>', 'what the mapping is for')
    .option('--sid <ID>', 'system ID, for people')
    .option('--sap-router <string>', 'SAProuters on the way of RFC: /H/host/S/port…')
    .option('--snc-partner <name>', 'SNC name of the backend of RFC over SNC: p:<distinguished name>')
    .option('--allowed-client <client>', 'client of RFC that may log on, where not all may; may be repeated', several)
    .option('--blocked-user <client/user>', 'user of RFC who may not log on; may be repeated', several)
}

/** The options in the words of the REST API; what was not given is not there. */
export function mappingSettings(options: MappingOptions): Readonly<Record<string, unknown>> {
  const settings = {
    backendType: options.backendType,
    authenticationMode: options.principal,
    hostInHeader: options.hostInHeader?.toUpperCase(),
    description: options.description,
    sid: options.sid,
    sapRouter: options.sapRouter,
    sncPartnerName: options.sncPartner,
    allowedClients: options.allowedClient,
    blacklistedUsers: options.blockedUser?.map(readBlockedUser),
  }
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
}

/** The form of the configuration file. */
export function mappingEntry(virtual: string, internal: string, options: MappingOptions): Partial<MappingEntry> {
  const { backendType, description, hostInHeader, principal, sapRouter, sncPartner } = options
  return {
    virtual,
    internal,
    ...(backendType === undefined ? {} : { backendType }),
    ...(principal === undefined ? {} : { principalType: principal }),
    ...(hostInHeader === undefined ? {} : { hostInHeader }),
    ...(description === undefined ? {} : { description }),
    ...(sapRouter === undefined ? {} : { sapRouter }),
    ...(sncPartner === undefined ? {} : { sncPartnerName: sncPartner }),
    ...(options.allowedClient === undefined ? {} : { allowedClients: options.allowedClient }),
    ...(options.blockedUser === undefined ? {} : { blockedUsers: options.blockedUser.map(readBlockedUser) }),
  }
}

/** Fills an entry in, and turns it into the words of the REST API. @throws a usage error that says what is wrong with it. */
export async function readMapping(entry: Partial<MappingEntry>): Promise<ReturnType<typeof readMappingEntry>> {
  const { virtual = '', internal = '' } = entry
  if (!/^(\[[^\]]+\]|[^:\s/]+):[\w-]+$/.test(virtual)) throw usageError(`"${virtual}" is no virtual host and port, such as erp.virtual:443`)
  const [, scheme] = /^([a-z]+):\/\/[^/?#@\s]+\/?$/i.exec(internal) ?? []
  if (!backendProtocols.some((protocol) => protocol === scheme?.toUpperCase()))
    throw usageError(
      `"${internal}" is no internal address: write a URL of host and port, such as http://10.0.0.5:8000; there are ${backendProtocols.map((each) => each.toLowerCase()).join(', ')}`,
    )
  const read = connectorEntrySchema.safeParse({ mappings: [entry] })
  const [mapping] = read.data?.mappings ?? []
  if (mapping !== undefined) return (await import('@sallyport/connector-administration')).readMappingEntry(mapping, 0)
  const [issue] = read.error?.issues ?? []
  throw usageError(`the mapping: ${issue?.path.slice(2).join('.') ?? ''} ${issue?.message ?? 'is not valid'}`)
}

function readBlockedUser(text: string): { readonly client: string; readonly user: string } {
  const [, client, user] = /^([^/]+)\/(.+)$/.exec(text) ?? []
  if (client === undefined || user === undefined) throw usageError(`--blocked-user takes <client>/<user>, such as 100/SMITH, not "${text}"`)
  return { client, user }
}
