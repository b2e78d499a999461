import fastifySwagger from '@fastify/swagger'
import fastifySwaggerUi from '@fastify/swagger-ui'
import { destinationErrorSchema } from '@sallyport/admin-api'
import type { FastifyInstance, FastifySchema } from 'fastify'
import { z } from 'zod'
import { apiRoot, type RefusalStatus, refusalTexts, type RouteDescription } from './route.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the API's document says of the route; one without is not in it. */
    description?: RouteDescription
  }
}

/**
 * Serves the OpenAPI 3.1 document of the routes that are added afterwards, `…/docs/json` and `…/docs/yaml`, and pages to read it, `…/docs`, which load
 * nothing from elsewhere. The document is made from descriptions beside the routes, so that no request pays for it.
 */
export async function registerApiPages(app: FastifyInstance): Promise<void> {
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Destination service',
        description: 'Keeps destinations, fragments, certificates and trust, and answers "find destination".',
        version: '1.0',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
      security: [{ token: [] }],
    },
    transform: ({ route, url }) => {
      const description = route.config?.description
      return { url, schema: description === undefined ? { hide: true } : documentOf(description, url) }
    },
  })
  await app.register(fastifySwaggerUi, {
    routePrefix: `${apiRoot}/docs`,
    // The page would otherwise show the document to a validator on the Internet.
    uiConfig: { validatorUrl: null, layout: 'BaseLayout', docExpansion: 'none', supportedSubmitMethods: [] } as Record<string, unknown>,
    staticCSP: contentPolicy,
    theme: { title: 'Destination service' },
  })
}

/** The browser holds the pages to what the service itself serves. */
const contentPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

function documentOf({ tag, summary, query, headers, body, answers, refusals = [] }: RouteDescription, url: string): FastifySchema {
  const texts = (of: Readonly<Record<string, string>>): object => ({
    type: 'object',
    properties: Object.fromEntries(Object.entries(of).map(([name, description]) => [name, { type: 'string', description }])),
  })
  const refused: readonly RefusalStatus[] = [400, 401, 403, ...refusals, 500, 503]
  const parameters = [...url.matchAll(/:(\w+)/g)].map((match): [string, string] => [match[1] ?? '', 'Percent-encoded'])
  return {
    tags: [tag],
    summary,
    ...(parameters.length === 0 ? {} : { params: texts(Object.fromEntries(parameters)) }),
    ...(query === undefined ? {} : { querystring: texts(query) }),
    ...(headers === undefined ? {} : { headers: texts(headers) }),
    ...(body === undefined ? {} : { body: jsonSchemaOf(body) }),
    response: Object.fromEntries([
      ...Object.entries(answers).map(([status, answer]) => [
        status,
        answer.body === undefined
          ? { description: answer.description, type: 'null' }
          : { description: answer.description, content: { 'application/json': { schema: jsonSchemaOf(answer.body) } } },
      ]),
      ...refused.map((status) => [
        status,
        { description: refusalTexts[status], content: { 'application/json': { schema: jsonSchemaOf(destinationErrorSchema) } } },
      ]),
    ]) as Record<string, unknown>,
  }
}

function jsonSchemaOf(schema: z.ZodType): object {
  const { $schema: _dialect, ...document } = z.toJSONSchema(schema, { io: 'input' })
  return document
}
