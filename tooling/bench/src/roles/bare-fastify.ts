import { readFileSync } from 'node:fs'
import Fastify from 'fastify'
import { tell } from './role.ts'

/** What a bare route is to answer. */
export interface BareSettings {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** The least that one can do with the framework: a route with a parameter that answers the same bytes. */
const { headers, body } = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as BareSettings
const app = Fastify()
app.get('/destination-configuration/v1/destinations/:name', (_request, reply) => reply.headers(headers).send(body))
const url = await app.listen({ host: '127.0.0.1', port: 0 })
tell({ port: Number(new URL(url).port) })
