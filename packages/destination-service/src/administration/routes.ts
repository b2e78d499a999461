import { certificateCollection } from '../certificates/certificate-collection.ts'
import { getPublicKeys, publicKeysDescription } from '../certificates/public-keys.ts'
import { destinationCollection } from '../destinations/destination-collection.ts'
import { deleteEntity } from '../entities/delete-entities.ts'
import type { Collection } from '../entities/collection.ts'
import { getEntity as getStoredEntity } from '../entities/get-entity.ts'
import { createEntities, replaceEntities } from '../entities/write-entities.ts'
import { fragmentCollection } from '../fragments/fragment-collection.ts'
import { apiRoot, type Route } from '../http/route.ts'
import { getLabels, replaceLabels } from '../labels/entity-labels.ts'
import { trustRoutes } from '../trust/trust-routes.ts'
import { administrationRoot, type AdministrationRoute, type LevelOperation, onEveryLevel, onSubaccount } from './administration-route.ts'
import { checkConnection } from './check-connection-route.ts'
import { encryptionRoutes } from './encryption-routes.ts'
import { createEntity, getEntity, listEntities, replaceEntity } from './edit-entities.ts'
import { exportEntities, importEntities } from './exchange-entities.ts'
import { describeCollection } from '../entities/collection-descriptions.ts'
import { getInstanceSettings, putInstanceParameters } from './instance-parameters-route.ts'
import { listCertificates } from './list-certificates.ts'
import { renewCertificate } from './renew-certificate.ts'
import {
  administered,
  certificatesDescription,
  checkDescription,
  describeEditing,
  instancesDescription,
  parametersDescription,
  renewalDescription,
  sessionDescription,
  settingsDescription,
} from './route-descriptions.ts'
import { getSession, listInstances } from './session.ts'

/** The administration API for people. */
export const administrationRoutes: readonly AdministrationRoute[] = [
  { method: 'GET', path: `${administrationRoot}/session`, description: sessionDescription, answer: getSession },
  { method: 'GET', path: `${administrationRoot}/instances`, description: instancesDescription, answer: listInstances },
  {
    method: 'GET',
    path: `${administrationRoot}/instances/:instance/settings`,
    description: settingsDescription,
    answer: getInstanceSettings,
  },
  {
    method: 'PUT',
    path: `${administrationRoot}/instances/:instance/parameters`,
    description: parametersDescription,
    answer: putInstanceParameters,
  },
  ...[...editing('/destinations', destinationCollection), ...editing('/fragments', fragmentCollection)].flatMap(onEveryLevel),
  ...onEveryLevel({
    method: 'POST',
    path: '/destinations/:name/check',
    area: 'destinations',
    action: 'view',
    description: checkDescription,
    answer: checkConnection,
  }),
  ...certificates('/certificates').flatMap(onEveryLevel),
  ...trustRoutes.map(onTrust),
  ...encryptionRoutes,
]

/** Destinations and fragments, whose secrets are hidden. */
function editing(path: string, collection: Collection): readonly LevelOperation[] {
  const one = `${path}/:name`
  const texts = describeEditing(collection.kind)
  const view = { area: 'destinations', action: 'view' } as const
  const manage = { area: 'destinations', action: 'manage' } as const
  return [
    { method: 'GET', path, ...view, description: texts.list, answer: (request, context) => listEntities(request, context, collection) },
    {
      method: 'POST',
      path,
      ...manage,
      description: texts.create,
      answer: (request, context) => createEntity(request, context, collection),
    },
    {
      method: 'POST',
      path: `${path}/export`,
      ...view,
      description: texts.export,
      answer: (request, context) => exportEntities(request, context, collection),
    },
    {
      method: 'POST',
      path: `${path}/import`,
      ...manage,
      description: texts.import,
      answer: (request, context) => importEntities(request, context, collection),
    },
    {
      method: 'GET',
      path: one,
      ...view,
      description: texts.get,
      answer: (request, context, name) => getEntity(request, context, collection, name),
    },
    {
      method: 'PUT',
      path: one,
      ...manage,
      description: texts.replace,
      answer: (request, context, name) => replaceEntity(request, context, collection, name),
    },
    ...removing(path, collection, 'destinations'),
  ]
}

/** Certificates and key stores. Their content may hold keys, so it is for those who manage them. */
function certificates(path: string): readonly LevelOperation[] {
  const collection = certificateCollection
  const texts = describeCollection(collection, 'level')
  const view = { area: 'certificates', action: 'view' } as const
  const manage = { area: 'certificates', action: 'manage' } as const
  return [
    { method: 'GET', path, ...view, description: certificatesDescription, answer: listCertificates },
    {
      method: 'POST',
      path,
      ...manage,
      description: administered(texts.create),
      answer: (request, context) => createEntities(request, context, { collection, level: request.level }),
    },
    {
      method: 'PUT',
      path,
      ...manage,
      description: administered(texts.replace),
      answer: (request, context) => replaceEntities(request, context, { collection, level: request.level }),
    },
    {
      method: 'GET',
      path: `${path}/:name`,
      ...manage,
      description: administered(texts.get),
      answer: (request, context, name) => getStoredEntity(request, context, { collection, level: request.level }, name),
    },
    {
      method: 'GET',
      path: `${path}/:name/publicKeys`,
      ...view,
      description: administered(publicKeysDescription),
      answer: (request, context, name) => getPublicKeys(request, context, request.level, name),
    },
    { method: 'POST', path: `${path}/:name/renew`, ...manage, description: renewalDescription, answer: renewCertificate },
    ...removing(path, collection, 'certificates'),
  ]
}

/** Trust of the subaccount, as in the REST API: reading it is downloading it. */
function onTrust({ method, path, description, answer }: Route): AdministrationRoute {
  return onSubaccount({
    method,
    path: path.replace(`${apiRoot}/v1/saml2Metadata`, '/trust'),
    area: 'trust',
    action: method === 'GET' ? 'view' : 'manage',
    description: administered(description),
    answer,
  })
}

/** Deletion and labels are those of the REST API. */
function removing(path: string, collection: Collection, area: LevelOperation['area']): readonly LevelOperation[] {
  const one = `${path}/:name`
  const labels = `${one}/labels`
  const texts = describeCollection(collection, 'level')
  const target = ({ level }: Parameters<LevelOperation['answer']>[0]): Parameters<typeof deleteEntity>[2] => ({ collection, level })
  return [
    {
      method: 'DELETE',
      path: one,
      area,
      action: 'manage',
      description: administered(texts.delete),
      answer: (request, context, name) => deleteEntity(request, context, target(request), name),
    },
    {
      method: 'GET',
      path: labels,
      area,
      action: 'view',
      description: administered(texts.getLabels),
      answer: (request, context, name) => getLabels(request, context, target(request), name),
    },
    {
      method: 'PUT',
      path: labels,
      area,
      action: 'manage',
      description: administered(texts.replaceLabels),
      answer: (request, context, name) => replaceLabels(request, context, target(request), name),
    },
  ]
}
