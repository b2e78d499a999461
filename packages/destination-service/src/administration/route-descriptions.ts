import {
  administeredCertificatesSchema,
  administeredEntitySchema,
  administeredInstancesSchema,
  administrationSessionSchema,
  connectionVerdictSchema,
  countSchema,
  encryptionStatusSchema,
  entityDraftSchema,
  exchangedFileSchema,
  exportOrderSchema,
  importedEntriesSchema,
  importOrderSchema,
  instanceParametersSchema,
} from '@sallyport/admin-api'
import { z } from 'zod'
import type { RouteDescription } from '../http/route.ts'

const tag = 'Administration'
const version = { 'If-Match': 'The version that is replaced; any unless given' }
const encryption = { description: 'How the subaccount is encrypted then', body: encryptionStatusSchema }

/** What the API's document says of the routes that concern no single level. */
export const sessionDescription: RouteDescription = {
  tag,
  summary: 'Who administers, and what he may do',
  answers: { 200: { description: 'User, roles and rights', body: administrationSessionSchema } },
}
export const instancesDescription: RouteDescription = {
  tag,
  summary: 'The instances on whose levels something can be done',
  answers: {
    200: {
      description: 'Own instances, and those of applications that the subaccount has subscribed to',
      body: administeredInstancesSchema,
    },
  },
}
export const settingsDescription: RouteDescription = {
  tag,
  summary: 'What an instance remembers of its parameters',
  answers: {
    200: {
      description: 'Settings',
      body: z.object({ html5RuntimeEnabled: z.boolean(), subscriberAccess: z.record(z.string(), z.unknown()) }),
    },
  },
  refusals: [404],
}
export const parametersDescription: RouteDescription = {
  tag,
  summary: 'Applies parameters of an instance, what the original takes as config.json',
  body: instanceParametersSchema,
  answers: {
    200: { description: 'What became of the entities', body: z.object({ created: z.number(), replaced: z.number(), kept: z.number() }) },
  },
  refusals: [404, 409, 413, 415],
}

/** Of destinations and fragments, whose secrets are hidden. */
export function describeEditing(
  kind: string,
): Readonly<Record<'list' | 'create' | 'export' | 'import' | 'get' | 'replace', RouteDescription>> {
  const one = { description: `The ${kind}, without its secrets`, body: administeredEntitySchema }
  return {
    list: {
      tag,
      summary: `Lists ${kind}s without their secrets`,
      answers: { 200: { description: 'All of the level', body: z.array(administeredEntitySchema) } },
    },
    create: {
      tag,
      summary: `Creates a ${kind}; secrets may be taken over from another one`,
      body: entityDraftSchema,
      answers: { 201: one },
      refusals: [404, 409, 413, 415],
    },
    export: {
      tag,
      summary: `Exports ${kind}s to a file, without their secrets`,
      body: exportOrderSchema,
      answers: { 200: { description: 'The file', body: exchangedFileSchema } },
      refusals: [404, 413, 415],
    },
    import: {
      tag,
      summary: `Imports ${kind}s from a file, or only looks at what would become of them`,
      body: importOrderSchema,
      answers: { 200: { description: 'What became of each', body: importedEntriesSchema } },
      refusals: [413, 415],
    },
    get: { tag, summary: `Reads a ${kind} without its secrets`, answers: { 200: one }, refusals: [404] },
    replace: {
      tag,
      summary: `Replaces a ${kind}; secrets that are named are kept`,
      headers: version,
      body: entityDraftSchema,
      answers: { 200: one },
      refusals: [404, 409, 412, 413, 415],
    },
  }
}

export const checkDescription: RouteDescription = {
  tag,
  summary: 'Checks whether the target of a destination can be reached',
  answers: { 200: { description: 'The verdict, with every hop', body: connectionVerdictSchema } },
  refusals: [404],
}
export const certificatesDescription: RouteDescription = {
  tag,
  summary: 'Lists certificates and key stores without their content',
  answers: { 200: { description: 'All of the level', body: administeredCertificatesSchema } },
}
export const renewalDescription: RouteDescription = {
  tag,
  summary: 'Renews a certificate that was generated here, before its time',
  answers: { 200: { description: 'Renewed', body: countSchema } },
  refusals: [404, 409, 422],
}

/** Of what belongs to the REST API too. */
export function administered(description: RouteDescription): RouteDescription {
  return { ...description, tag }
}

/** Of keys of customers. */
export const encryptionDescriptions: Readonly<Record<'read' | 'use' | 'rotate' | 'release', RouteDescription>> = {
  read: { tag, summary: 'How the subaccount is encrypted', answers: { 200: encryption } },
  use: {
    tag,
    summary: 'Encrypts the subaccount with the key of its owner that the operator has named',
    answers: { 200: encryption },
    refusals: [404, 422],
  },
  rotate: {
    tag,
    summary: 'Takes the newest version of the key into use, and seals everything again',
    answers: { 200: encryption },
    refusals: [404, 422],
  },
  release: { tag, summary: 'Lets the key of the operator do alone again', answers: { 200: encryption }, refusals: [404, 422] },
}
